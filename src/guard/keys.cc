#include "guard/keys.h"

#include <array>
#include <utility>

namespace holdfast::guard {
namespace {

using enum Key::Kind;
constexpr std::array<std::pair<std::string_view, Key::Kind>, 6> kKinds{{{"settings", settings},
                                                                        {"override", override},
                                                                        {"vote", vote},
                                                                        {"voter", voter},
                                                                        {"state", state},
                                                                        {"probe", probe}}};

std::string key(std::string_view kind, std::string_view one, std::string_view other = {}) {
  std::string text(kBreakerPrefix);
  text.append(kind).append("/").append(one);
  if (!other.empty()) text.append("/").append(other);
  return text;
}

std::string_view take_part(std::string_view& rest) {
  const std::size_t end = rest.find('/');
  const std::string_view part = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return part;
}

}  // namespace

std::string settings_key(std::string_view name) { return key("settings", name); }
std::string override_key(std::string_view name) { return key("override", name); }
std::string vote_key(std::string_view name, std::string_view node) { return key("vote", name, node); }
std::string voter_key(std::string_view node) { return key("voter", node); }
std::string state_key(std::string_view name) { return key("state", name); }
std::string probe_key(std::string_view name) { return key("probe", name); }

std::optional<Key> parse_key(std::string_view key) {
  if (!key.starts_with(kBreakerPrefix)) return std::nullopt;
  std::string_view rest = key.substr(kBreakerPrefix.size());
  const std::string_view kind = take_part(rest);
  for (const auto& [name, value] : kKinds) {
    if (name != kind) continue;
    Key parsed{value, {}, {}};
    if (value != voter) parsed.name = take_part(rest);
    if (value == vote || value == voter) parsed.node = take_part(rest);
    const bool is_named = value == voter || !parsed.name.empty();
    const bool has_node = !parsed.node.empty() || (value != vote && value != voter);
    if (!rest.empty() || !is_named || !has_node) return std::nullopt;
    return parsed;
  }
  return std::nullopt;
}

}  // namespace holdfast::guard

#include "balance/affinity.h"

#include "balance/mix.h"
#include "base/text.h"

namespace holdfast::balance {
namespace {

/// The value of the first `name=value` among parts; none if no part has that name.
std::optional<std::string_view> value_among(std::string_view text, char separator, std::string_view name) {
  while (true) {
    const std::size_t end = text.find(separator);
    const std::string_view part = trim(text.substr(0, end));
    if (part.size() > name.size() && part.starts_with(name) && part[name.size()] == '=') {
      return part.substr(name.size() + 1);
    }
    if (end == std::string_view::npos) return std::nullopt;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

std::optional<std::string_view> cookie_value(std::string_view field, std::string_view name) {
  std::optional<std::string_view> value = value_among(field, ';', name);
  // The quotes of a quoted cookie value are not part of it.
  if (value && value->size() >= 2 && value->front() == '"' && value->back() == '"') {
    value = value->substr(1, value->size() - 2);
  }
  return value;
}

std::optional<std::string_view> query_value(std::string_view target, std::string_view name) {
  target = target.substr(0, target.find('#'));
  const std::size_t query = target.find('?');
  if (query == std::string_view::npos) return std::nullopt;
  return value_among(target.substr(query + 1), '&', name);
}

std::string_view path_of(std::string_view target) { return target.substr(0, target.find_first_of("?#")); }

Token make_token(std::uint64_t identity, std::uint64_t key) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::uint64_t number = mix(mix(identity, key), key);
  Token token{};
  for (std::size_t i = token.digits.size(); i-- > 0; number >>= 4) token.digits[i] = kDigits[number & 15];
  return token;
}

std::optional<std::uint32_t> find_token(std::span<const Member> members, std::string_view token, std::uint64_t key) {
  std::uint64_t number = 0;
  if (token.size() != Token{}.digits.size()) return std::nullopt;
  for (const char digit : token) {
    const bool decimal = digit >= '0' && digit <= '9';
    if (!decimal && (digit < 'a' || digit > 'f')) return std::nullopt;
    number = number << 4 | static_cast<std::uint64_t>(decimal ? digit - '0' : digit - 'a' + 10);
  }
  for (std::uint32_t i = 0; i < members.size(); ++i) {
    if (mix(mix(members[i].identity, key), key) == number) return i;
  }
  return std::nullopt;
}

}  // namespace holdfast::balance

#include "config/substitute.h"

#include <algorithm>

namespace holdfast::config {
namespace {

bool is_variable_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && letter(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

}  // namespace

std::expected<std::string, std::string> substitute(std::string_view text, const Environment& environment) {
  std::string result;
  while (true) {
    const std::size_t start = text.find("${");
    result += text.substr(0, start);
    if (start == std::string_view::npos) return result;
    if (start > 0 && text[start - 1] == '$') {
      result += '{';  // "$${": one dollar is there already
      text.remove_prefix(start + 2);
      continue;
    }
    text.remove_prefix(start + 2);
    const std::size_t end = text.find('}');
    if (end == std::string_view::npos) {
      return std::unexpected("\"${\" has no closing \"}\"; write ${NAME}, or $${ for the text itself");
    }
    const std::string name(text.substr(0, end));
    if (!is_variable_name(name)) {
      return std::unexpected("\"${" + name +
                             "}\" names no environment variable; expected letters, digits and _, such as ${PORT}");
    }
    const std::optional<std::string> value = environment ? environment(name) : std::nullopt;
    if (!value) {
      return std::unexpected("the environment variable " + name + " is not set; set it, or write $${" + name +
                             "} for the text itself");
    }
    result += *value;
    text.remove_prefix(end + 1);
  }
}

std::string escape_substitution(std::string_view text) {
  std::string escaped;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '$' && i + 1 < text.size() && text[i + 1] == '{') escaped += '$';
    escaped += text[i];
  }
  return escaped;
}

}  // namespace holdfast::config

#include "config/shapes.h"

#include "base/text.h"

namespace holdfast::config {

Parsed<unsigned> parse_count(std::string_view text) {
  if (const auto number = parse_number<unsigned>(text)) return *number;
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  return std::unexpected(
      '"' + std::string(text) +
      (digits ? "\" is too large a number" : "\" is not a whole number; write digits only, such as 100"));
}

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string schema_of_text(std::string_view pattern) {
  if (pattern.empty()) return R"({"type":"string"})";
  return R"({"type":["string","integer"],"pattern":)" + json_string(std::string(pattern) + "|\\$\\{") + "}";
}

std::string schema_of_number(std::uint64_t min, std::uint64_t max) {
  return R"({"type":["integer","string"],"minimum":)" + std::to_string(min) + R"(,"maximum":)" + std::to_string(max) +
         R"(,"pattern":"^[0-9]+$|\\$\\{"})";
}

std::string schema_of_words(std::span<const std::string_view> words) {
  std::string out = R"({"anyOf":[{"enum":[)";
  for (const std::string_view word : words) out += (word.data() == words.front().data() ? "" : ",") + json_string(word);
  return out + R"(]},{"type":"string","pattern":"\\$\\{"}]})";
}

std::string plain(std::string type) {
  std::erase(type, '`');
  return type;
}

std::string enumerate(std::span<const std::string_view> words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? " or " : ", ";
    out += words[i];
  }
  return out;
}

}  // namespace holdfast::config

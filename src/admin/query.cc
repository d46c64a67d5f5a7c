#include "admin/query.h"

#include "base/text.h"
#include "config/units.h"
#include "http/lookup.h"

namespace holdfast::admin {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char low = to_lower(c);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

std::unexpected<Answer> bad(std::string_view name, std::string_view what, std::string_view remedy) {
  return std::unexpected(
      error_answer(400, "bad_query", "the query's " + std::string(name) + " is " + std::string(what), remedy));
}

std::string_view opaque(std::string_view etag) { return etag.starts_with("W/") ? etag.substr(2) : etag; }

}  // namespace

std::optional<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

std::expected<std::optional<std::string>, Answer> text_of(const http::RequestHead& head, std::string_view name) {
  const std::optional<std::string_view> found = http::find_query(head, name);
  if (!found) return std::nullopt;
  std::optional<std::string> text = percent_decode(*found);
  if (!text) return bad(name, "not percent-encoded", "write it like feed-%3Eprofile");
  return text;
}

std::expected<std::optional<std::uint64_t>, Answer> number_of(const http::RequestHead& head, std::string_view name) {
  const std::optional<std::string_view> found = http::find_query(head, name);
  if (!found) return std::nullopt;
  const std::optional<std::uint64_t> number = parse_number<std::uint64_t>(*found);
  if (!number) return bad(name, "no number", "write it like " + std::string(name) + "=100");
  return number;
}

std::expected<std::optional<Duration>, Answer> duration_of(const http::RequestHead& head, std::string_view name) {
  const std::optional<std::string_view> found = http::find_query(head, name);
  if (!found) return std::nullopt;
  const auto duration = config::parse_duration(*found);
  if (!duration) return bad(name, "no duration", "write it like " + std::string(name) + "=30s");
  return *duration;
}

bool is_known(const http::RequestHead& head, std::string_view etag) {
  for (const http::Field& field : head.fields) {
    if (field.id != http::Name::if_none_match) continue;
    for (const std::string_view each : split(field.value, ',')) {
      const std::string_view known = trim(each);
      if (known == "*" || opaque(known) == opaque(etag)) return true;
    }
  }
  return false;
}

}  // namespace holdfast::admin

#include "http/lookup.h"

#include "base/text.h"

namespace holdfast::http {
namespace {

/// The value of `name` in a list of name=value pairs.
std::optional<std::string_view> find_pair(std::string_view list, char separator, std::string_view name) {
  while (true) {
    const std::size_t next = list.find(separator);
    const std::string_view pair = trim(list.substr(0, next));
    if (pair.starts_with(name)) {
      const std::string_view rest = pair.substr(name.size());
      if (rest.starts_with('=')) return rest.substr(1);
      if (rest.empty() && !pair.empty()) return rest;
    }
    if (next == std::string_view::npos) return std::nullopt;
    list.remove_prefix(next + 1);
  }
}

}  // namespace

std::optional<std::string_view> find_cookie(const RequestHead& head, std::string_view name) {
  if (!head.fields.has(Name::cookie)) return std::nullopt;
  for (const Field& field : head.fields) {
    if (field.id != Name::cookie) continue;
    if (const auto value = find_pair(field.value, ';', name)) return value;
  }
  return std::nullopt;
}

std::optional<std::string_view> find_query(const RequestHead& head, std::string_view name) {
  return find_pair(head.query, '&', name);
}

}  // namespace holdfast::http

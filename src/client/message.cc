#include "client/message.h"

#include <algorithm>

namespace holdfast::client {
namespace {

bool is_value_char(char c) { return (c >= ' ' && c != '\x7f') || c == '\t' || static_cast<unsigned char>(c) >= 0x80; }
bool is_target_char(char c) { return c > ' ' && c < '\x7f' && c != '#'; }
bool is_name_char(char c) {
  return is_target_char(c) && std::string_view("\"(),/:;<=>?@[\\]{}").find(c) == std::string_view::npos;
}

}  // namespace

Result<std::string> write_request(const Request& request, std::string_view host) {
  const std::string_view method = http::to_string(request.method);
  if (method.empty()) return fail(Code::invalid, Side::local, "a request without a method");
  if (!request.target.starts_with('/') || !std::ranges::all_of(request.target, is_target_char)) {
    return fail(Code::invalid, Side::local, "a request target that is no path");
  }
  std::string bytes;
  bytes.reserve(request.body.size() + request.target.size() + 512);
  bytes.append(method).append(" ").append(request.target).append(" HTTP/1.1\r\nHost: ").append(host).append("\r\n");
  const auto add = [&bytes](std::string_view name, std::string_view value) {
    bytes.append(name).append(": ").append(value).append("\r\n");
  };
  if (!request.content_type.empty()) add("Content-Type", request.content_type);
  const bool has_length = !request.body.empty() || !http::is_safe(request.method);
  if (has_length) add("Content-Length", std::to_string(request.body.size()));
  for (const auto& [name, value] : request.fields) {
    if (name.empty() || !std::ranges::all_of(name, is_name_char) || !std::ranges::all_of(value, is_value_char)) {
      return fail(Code::invalid, Side::local, "a request field that cannot be sent: " + name.substr(0, 60));
    }
    add(name, value);
  }
  bytes.append("\r\n").append(request.body);
  return bytes;
}

}  // namespace holdfast::client

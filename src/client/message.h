// What is asked and what is answered, as values; and the bytes of a request. A request is made by us, never passed on:
// its fields must be right, and are checked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "http/method.h"

namespace holdfast::client {

struct Request {
  http::Method method = http::Method::get;
  std::string target = "/";
  /// Beside Host, Content-Length and Content-Type, which are written for you.
  std::vector<std::pair<std::string, std::string>> fields;
  std::string content_type;  ///< empty: the field is not sent
  std::string body;
};

struct Response {
  std::uint16_t status = 0;
  std::string body = {};
  std::string etag = {};
};

/// Errors: Code::invalid: a byte that would break the head apart.
Result<std::string> write_request(const Request& request, std::string_view host);

}  // namespace holdfast::client

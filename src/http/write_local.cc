#include "http/write_local.h"

#include "base/check.h"
#include "http/head_output.h"
#include "http/status.h"

namespace holdfast::http {
namespace {

// RFC 9110 15.5.6 wants it with 405. We refuse only CONNECT and TRACE; what else the target knows, it says itself.
constexpr std::string_view kAllow = "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n";
constexpr std::string_view kFixedWords =
    "HTTP/1.1 000 \r\nContent-Type: \r\nContent-Length: \r\nX-Holdfast-Reason: \r\nRetry-After: \r\n"
    "Connection: keep-alive\r\n\r\n";

/// "503 Service Unavailable: breaker-open\n"
constexpr std::size_t own_body_size(std::string_view phrase, std::string_view reason) {
  return 4 + phrase.size() + (reason.empty() ? 0 : 2 + reason.size()) + 1;
}

/// RFC 9112 6.3: these end with their head.
constexpr bool has_no_body(int status) { return status < 200 || status == 204 || status == 304; }

}  // namespace

std::size_t local_body_size(const LocalResponse& response) {
  if (response.to_head || has_no_body(response.status)) return 0;
  return response.body ? response.body->size() : own_body_size(reason_phrase(response.status), response.reason);
}

std::size_t local_response_bound(const LocalResponse& response) {
  const std::string_view phrase = reason_phrase(response.status);
  const std::size_t body = response.body ? response.body->size() : own_body_size(phrase, response.reason);
  return kFixedWords.size() + kAllow.size() + 2 * kLongestNumber + phrase.size() + response.content_type.size() +
         response.reason.size() + fields_bound(response.extra) + body;
}

std::optional<std::size_t> write_local_response(const LocalResponse& response, std::span<char> out) {
  const std::size_t bound = local_response_bound(response);
  if (bound > out.size()) return std::nullopt;
  const std::string_view phrase = reason_phrase(response.status);
  HeadOutput output(out);
  output.put("HTTP/1.1 ").put_number(response.status).put(" ").put(phrase).put("\r\n");
  if (!has_no_body(response.status)) {
    output.put_field("Content-Type", response.content_type).put("Content-Length: ");
    output.put_number(response.body ? response.body->size() : own_body_size(phrase, response.reason)).put("\r\n");
  }
  if (response.status == 405) output.put(kAllow);
  if (!response.reason.empty()) output.put_field("X-Holdfast-Reason", response.reason);
  if (response.retry_after_s) output.put("Retry-After: ").put_number(*response.retry_after_s).put("\r\n");
  if (!response.keep_alive) {
    output.put("Connection: close\r\n");
  } else if (response.client_minor_version == 0) {
    output.put("Connection: keep-alive\r\n");
  }
  output.put_extra(response.extra);
  output.put("\r\n");
  if (!response.to_head && !has_no_body(response.status)) {
    if (response.body) {
      output.put(*response.body);
    } else {
      output.put_number(response.status).put(" ").put(phrase);
      if (!response.reason.empty()) output.put(": ").put(response.reason);
      output.put("\n");
    }
  }
  check(output.size() <= bound, "an answer of our own is no longer than its bound");
  return output.size();
}

}  // namespace holdfast::http

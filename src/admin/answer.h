// Answer: what one request is told, and its bytes. Errors are { "error": { code, message, remedy } }: what is wrong and
// what to do about it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::admin {

inline constexpr std::string_view kText = "text/plain; charset=utf-8";
/// Source: WHATWG HTML, 9.2 "Server-sent events".
inline constexpr std::string_view kEventStream = "text/event-stream";
inline constexpr std::string_view kJson = "application/json";
/// Source: Prometheus, "Exposition formats", text format 0.0.4.
inline constexpr std::string_view kMetricsText = "text/plain; version=0.0.4; charset=utf-8";

struct Answer {
  std::uint16_t status = 200;
  std::string_view content_type = kText;  ///< one of the constants above
  std::string body = {};
  std::string_view allow = {};  ///< of a 405: what the target knows (RFC 9110 15.5.6); static words
  std::string etag = {};        ///< empty: what it says has no version
  bool is_told = false;         ///< it went out as a stream already; the rest says nothing
};

/// `code` is for programs, the rest for people.
Answer error_answer(std::uint16_t status, std::string_view code, std::string_view message, std::string_view remedy);

struct Delivery {
  bool to_head = false;  ///< the head of the answer alone
  bool keep_alive = true;
};

/// What an If-None-Match that names `etag` is told: 304, without a body.
Answer not_modified(std::string etag);

/// The HTTP/1.1 message. Nothing here may be kept by a cache: it is about now.
std::string to_bytes(const Answer& answer, const Delivery& delivery);

/// The head of one that has no length: it ends with the connection.
std::string stream_head(std::string_view content_type);

}  // namespace holdfast::admin

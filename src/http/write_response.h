// Heads to bytes, towards a client: an upstream's answer re-written, or an answer of our own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "http/head.h"

namespace holdfast::http {

/// To be sent when a client waits for it and the request is going to be read.
inline constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

struct ResponseRewrite {
  Framing framing = Framing::none;   ///< none: no body follows; the Content-Length of a HEAD or 304 answer is kept
  std::uint64_t content_length = 0;  ///< of Framing::length
  bool keep_alive = true;            ///< whether the client's connection goes on
  std::uint8_t client_minor_version = 1;
  bool websocket = false;        ///< pass on a 101 to websocket
  std::span<const Field> extra;  ///< added last, e.g. Set-Cookie
};

/// The framing a client of that version can be sent this answer in. until_close means that keep_alive must be false.
Framing client_framing(const ResponseHead& head, std::uint8_t client_minor_version);

/// No message is longer than this many bytes. A writer refuses a span that is shorter, even if the message would fit.
std::size_t response_head_bound(const ResponseHead& head, const ResponseRewrite& rewrite);

/// Writes the head that goes to the client, always as HTTP/1.1. Returns its bytes; none when `out` is shorter than the
/// bound. A 1xx or 204 never carries a framing field (RFC 9112 6.1, RFC 9110 8.6).
std::optional<std::size_t> write_response_head(const ResponseHead& head, const ResponseRewrite& rewrite,
                                               std::span<char> out);

/// An answer the proxy makes itself: an error, a redirect, a fallback.
struct LocalResponse {
  std::uint16_t status = 500;
  std::string_view reason;  ///< X-Holdfast-Reason, e.g. "no-healthy-endpoint"; empty: no such field
  std::optional<std::uint32_t> retry_after_s;
  bool keep_alive = false;
  std::uint8_t client_minor_version = 1;
  bool to_head = false;                  ///< answers a HEAD: the head of the answer alone
  std::optional<std::string_view> body;  ///< none: one line that names status and reason
  std::string_view content_type = "text/plain; charset=utf-8";
  std::span<const Field> extra;  ///< e.g. Location
};

std::size_t local_response_bound(const LocalResponse& response);

/// Writes head and body of an answer of our own, framed by Content-Length. None when `out` is shorter than the bound.
std::optional<std::size_t> write_local_response(const LocalResponse& response, std::span<char> out);

}  // namespace holdfast::http

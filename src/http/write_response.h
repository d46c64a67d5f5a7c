// Heads to bytes, towards a client: an upstream's answer, re-written for the connection it goes out on.
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
  bool websocket = false;             ///< pass on a 101 to websocket
  std::span<const Field> extra = {};  ///< added last, e.g. Set-Cookie
};

/// The framing a client of that version can be sent this answer in. until_close means that keep_alive must be false.
Framing client_framing(const ResponseHead& head, std::uint8_t client_minor_version);

/// No message is longer than this many bytes. A writer refuses a span that is shorter, even if the message would fit.
std::size_t response_head_bound(const ResponseHead& head, const ResponseRewrite& rewrite);

/// Writes the head that goes to the client, always as HTTP/1.1. Returns its bytes; none when `out` is shorter than the
/// bound. A 1xx or 204 never carries a framing field (RFC 9112 6.1, RFC 9110 8.6).
std::optional<std::size_t> write_response_head(const ResponseHead& head, const ResponseRewrite& rewrite,
                                               std::span<char> out);

}  // namespace holdfast::http

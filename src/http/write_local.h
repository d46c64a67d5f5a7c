// Answers the proxy makes itself: errors, redirects, fallbacks. X-Holdfast-Reason tells them from an upstream's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "http/field_list.h"

namespace holdfast::http {

struct LocalResponse {
  std::uint16_t status = 500;
  std::string_view reason = {};  ///< X-Holdfast-Reason, e.g. "no-healthy-endpoint"; empty: no such field
  std::optional<std::uint32_t> retry_after_s = {};
  bool keep_alive = false;
  std::uint8_t client_minor_version = 1;
  bool to_head = false;                       ///< answers a HEAD: the head of the answer alone
  std::optional<std::string_view> body = {};  ///< none: one line that names status and reason
  std::string_view content_type = "text/plain; charset=utf-8";
  std::span<const Field> extra = {};  ///< e.g. Location
};

/// How many of the bytes that write_local_response() writes are the body: the last ones.
std::size_t local_body_size(const LocalResponse& response);

std::size_t local_response_bound(const LocalResponse& response);

/// Writes head and body of an answer of our own, framed by Content-Length. None when `out` is shorter than the bound.
std::optional<std::size_t> write_local_response(const LocalResponse& response, std::span<char> out);

}  // namespace holdfast::http

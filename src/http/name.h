// Field names that some rule of ours knows, recognised without regard to case by one table look-up and one comparison.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace holdfast::http {

enum class Name : std::uint8_t {
  other,
  accept,
  accept_encoding,
  accept_language,
  age,
  allow,
  authorization,
  cache_control,
  connection,
  content_encoding,
  content_length,
  content_range,
  content_type,
  cookie,
  date,
  etag,
  expect,
  expires,
  forwarded,
  host,
  http2_settings,
  if_match,
  if_modified_since,
  if_none_match,
  if_range,
  if_unmodified_since,
  keep_alive,
  last_modified,
  location,
  max_forwards,
  origin,
  pragma,
  proxy_authenticate,
  proxy_authorization,
  proxy_connection,
  range,
  referer,
  retry_after,
  server,
  set_cookie,
  te,
  traceparent,
  tracestate,
  trailer,
  transfer_encoding,
  upgrade,
  user_agent,
  vary,
  via,
  www_authenticate,
  x_forwarded_for,
  x_forwarded_host,
  x_forwarded_port,
  x_forwarded_proto,
  x_real_ip,
  x_request_id,
};

inline constexpr std::size_t kNameCount = static_cast<std::size_t>(Name::x_request_id) + 1;
static_assert(kNameCount <= 64, "FieldList keeps one bit per name");

/// The name of a field; Name::other for what no rule knows.
Name name_of(std::string_view text);

/// "content-length", …; "" for Name::other.
std::string_view to_string(Name name);

/// Belongs to one connection and is never forwarded as received (RFC 9110 7.6.1, and Proxy-* which is for us alone).
bool is_hop_by_hop(Name name);

/// Frames or routes the message: a Connection field that names it is an attack.
constexpr bool is_framing(Name name) {
  return name == Name::host || name == Name::content_length || name == Name::transfer_encoding;
}

/// Says who the client is or what it may do: no Connection field can have it taken out on the way.
bool is_protected(Name name);

/// May stand in a trailer section (RFC 9110 6.5.1: not framing, routing, authentication, request or content control).
bool is_trailer_allowed(Name name);

}  // namespace holdfast::http

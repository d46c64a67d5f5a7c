// Field names that some rule of ours knows, recognised without regard to case by one table look-up and one comparison.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
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
  x_holdfast_caller,
  x_holdfast_timeout_ms,
  x_real_ip,
  x_request_id,
};

inline constexpr std::size_t kNameCount = static_cast<std::size_t>(Name::x_request_id) + 1;
static_assert(kNameCount <= 64, "a NameSet keeps one bit per name");

/// The name of a field; Name::other for what no rule knows.
Name name_of(std::string_view text);

/// "content-length", …; "" for Name::other.
std::string_view to_string(Name name);

/// A set of names, one bit each.
class NameSet {
 public:
  constexpr NameSet() = default;
  constexpr NameSet(std::initializer_list<Name> names) {
    for (const Name name : names) bits_ |= bit(name);
  }
  constexpr bool has(Name name) const { return (bits_ & bit(name)) != 0; }
  constexpr void add(Name name) { bits_ |= bit(name); }
  constexpr void add(NameSet names) { bits_ |= names.bits_; }

 private:
  static constexpr std::uint64_t bit(Name name) { return std::uint64_t{1} << static_cast<unsigned>(name); }

  std::uint64_t bits_ = 0;
};

/// Belong to one connection and are never forwarded as received (RFC 9110 7.6.1, and Proxy-* which is for us alone).
inline constexpr NameSet kHopByHop = {
    Name::connection,          Name::keep_alive, Name::proxy_connection, Name::te,
    Name::transfer_encoding,   Name::upgrade,    Name::http2_settings,   Name::proxy_authenticate,
    Name::proxy_authorization,
};

/// Frame or route the message: a Connection field that names one is an attack.
inline constexpr NameSet kFraming = {Name::host, Name::content_length, Name::transfer_encoding};

/// Say where a request came from; worth as much as the peer that sent them.
inline constexpr NameSet kForwarding = {
    Name::forwarded,        Name::x_forwarded_for,   Name::x_forwarded_host,
    Name::x_forwarded_port, Name::x_forwarded_proto, Name::x_real_ip,
    Name::x_request_id,     Name::x_holdfast_caller, Name::x_holdfast_timeout_ms,
};

/// Say who the client is or how to read the body: no Connection field can have them taken out on the way.
inline constexpr NameSet kProtected = [] {
  NameSet names = {Name::authorization, Name::cookie,           Name::set_cookie, Name::cache_control,
                   Name::content_type,  Name::content_encoding, Name::via};
  names.add(kForwarding);
  return names;
}();

/// May stand in a trailer section (RFC 9110 6.5.1). Of the names we know, those that only describe an answer may come
/// late; all others frame, route, authenticate, or steer how the content is read.
inline constexpr NameSet kTrailerAllowed = {Name::other, Name::etag, Name::last_modified, Name::server};

}  // namespace holdfast::http

// host[:port] as it stands in Host and in absolute-form targets (RFC 9110 7.2, RFC 3986 3.2).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace holdfast::http {

struct Authority {
  std::string_view host;   ///< a name, an IPv4 address, or an IPv6 address in brackets; may be empty
  std::uint16_t port = 0;  ///< 0: none was given
};

/// Stricter than the grammar: no userinfo, no comma, port 1 to 65535 (an empty one is none). None when it is not so.
std::optional<Authority> parse_authority(std::string_view text);

}  // namespace holdfast::http

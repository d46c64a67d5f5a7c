// Address: where to listen or connect, as written in the file: 1.2.3.4:80, [::1]:80, name:80 or unix:/path.
// Network: a set of client addresses, 10.0.0.0/8 or fd00::/8. Parsing is pure; resolving names is io's business.
// Source: RFC 3986 section 3.2.2 (brackets), RFC 1123 section 2.1 (host names), RFC 4632 (prefixes), RFC 5952 (writing
// IPv6).
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::config {

struct Address {
  enum class Kind : std::uint8_t { ip4, ip6, name, unix_path };

  Kind kind = Kind::ip4;
  std::string host;  ///< "10.0.0.1", "::1" (canonical, no brackets), "db.example", or the path of a unix socket
  std::uint16_t port = 0;

  bool is_unix() const { return kind == Kind::unix_path; }
  bool operator==(const Address&) const = default;

  /// Errors: words that say what is wrong and how to write it.
  static std::expected<Address, std::string> parse(std::string_view text);
};

/// As parse() reads it: "10.0.0.1:80", "[::1]:80", "db.example:80", "unix:/run/x.sock".
std::string to_string(const Address& address);

/// A prefix of the IPv6 space; an IPv4 one lies below ::ffff:0:0/96, so that a dual-stack socket's addresses match too.
struct Network {
  using Bytes = std::array<std::uint8_t, 16>;

  Bytes address{};
  std::uint8_t bits = 128;

  /// Requires: an IPv4 `client` is mapped to IPv6 (see mapped()).
  bool contains(const Bytes& client) const;
  bool operator==(const Network&) const = default;

  /// One address counts as a network of one: "10.0.0.1" is "10.0.0.1/32".
  static std::expected<Network, std::string> parse(std::string_view text);

  /// ::ffff:a.b.c.d of an IPv4 address in network order.
  static Bytes mapped(const std::array<std::uint8_t, 4>& ip4);
};

std::string to_string(const Network& network);

}  // namespace holdfast::config

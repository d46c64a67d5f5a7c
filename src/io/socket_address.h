// SocketAddress: where a socket is bound or connected: IPv4, IPv6 or a Unix path. A value; no names (io/resolver.h).
#pragma once

#include <cstdint>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/result.h"

namespace holdfast::io {

class SocketAddress {
 public:
  SocketAddress() = default;

  /// From a literal: host without brackets ("10.0.0.1", "::1").
  /// Errors: Code::invalid when `host` is not an address literal.
  static Result<SocketAddress> from_ip(std::string_view host, std::uint16_t port);
  /// Errors: Code::invalid when the path is empty or longer than 107 bytes (sun_path).
  static Result<SocketAddress> from_unix(std::string_view path);
  static SocketAddress from_raw(const sockaddr* address, socklen_t size);

  const sockaddr* raw() const { return &storage_.any; }
  socklen_t size() const { return size_; }
  int family() const { return storage_.any.sa_family; }
  std::uint16_t port() const;
  bool is_unix() const { return family() == AF_UNIX; }
  /// The 4 or 16 bytes of the IP address, in network order; empty for Unix sockets.
  std::string_view ip_bytes() const;

  bool operator==(const SocketAddress& other) const;

 private:
  union Storage {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
    sockaddr_un local;
  };
  Storage storage_{};
  socklen_t size_ = 0;
};

/// "10.0.0.1:80", "[::1]:80", "unix:/run/x.sock".
std::string to_string(const SocketAddress& address);
/// Only the IP part, without brackets: "10.0.0.1", "::1"; "unix:" for Unix sockets.
std::string ip_to_string(const SocketAddress& address);

/// The address a socket is bound to, or connected to. An unconnected or closed socket gives an empty one.
SocketAddress local_address(int fd);
SocketAddress peer_address(int fd);

}  // namespace holdfast::io

// Url: where a server is, as people write it: scheme, host and port. No path: that is the request's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace holdfast::client {

struct Url {
  bool tls = false;
  std::string host;  ///< a name or an IP address, without brackets; or the path of a Unix socket, which has no port
  std::uint16_t port = 0;

  bool operator==(const Url&) const = default;
};

/// Reads "http://10.0.0.1:2379", "https://db.example:2379", "http://[::1]:2379/". The port may be left out: 80 and 443.
/// Errors: Code::invalid.
Result<Url> parse_url(std::string_view text);

/// "http://10.0.0.1:2379", "unix:/run/x.sock"
std::string to_string(const Url& url);
/// For the field Host: "10.0.0.1:2379", "[::1]:2379"; "localhost" behind a Unix socket.
std::string authority(const Url& url);

}  // namespace holdfast::client

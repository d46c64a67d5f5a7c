// resolve(): a host name to its addresses, without ever blocking the loop. c-ares asks: /etc/hosts first, then the name
// servers of /etc/resolv.conf, or those given. Both files are read with every question, so a change is seen by the
// next.
//
// One family answers: the IPv4 addresses if there are any, else the IPv6 ones. A server that is reachable by both would
// otherwise count as two.
#pragma once

#include <string>
#include <vector>

#include "base/pinned.h"
#include "base/result.h"
#include "base/time.h"
#include "io/socket_address.h"
#include "io/stop.h"
#include "io/task.h"

namespace holdfast::io {

class Loop;

struct Resolved {
  std::vector<SocketAddress> addresses;  ///< at least one; sorted, each once, with port 0
  Duration ttl{};                        ///< how long the answer holds; 0 for /etc/hosts
};

/// Name servers to ask instead of those of /etc/resolv.conf; none: those.
using NameServers = std::vector<SocketAddress>;

/// Errors: Code::missing when there is no such name or it has no address, Code::timed_out, Code::refused and
/// Code::protocol by what the name servers did, Code::stopped, Code::internal when the question could not be asked.
Task<Result<Resolved>> resolve(Ref<Loop> loop, std::string host, NameServers servers, Deadline deadline,
                               Ref<Stop> stop);

}  // namespace holdfast::io

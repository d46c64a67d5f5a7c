// One health check: connect, and for HTTP send a GET and look at the status. Says what failed in words for the
// operator.
#pragma once

#include <string>
#include <vector>

#include "config/model.h"
#include "io/loop.h"
#include "io/socket_address.h"
#include "io/task.h"

namespace holdfast::upstream {

struct ProbeResult {
  bool ok = false;
  bool refused = false;  ///< nobody listens there
  std::string why;
};

/// A connection is enough.
io::Task<ProbeResult> probe_tcp(Ref<io::Loop> loop, io::SocketAddress address, Deadline deadline);

/// A GET of `path` answered with a status in `expect`. The connection is closed after the answer's head.
io::Task<ProbeResult> probe_http(Ref<io::Loop> loop, io::SocketAddress address, std::string host, std::string path,
                                 std::vector<config::StatusRange> expect, Deadline deadline);

}  // namespace holdfast::upstream

// Tunnel: two streams joined byte for byte, for TCP services and for websockets after their 101. Half a close passes on
// as half a close; a failure on one side ends both.
#pragma once

#include <cstdint>

#include "io/buffer_pool.h"
#include "io/stream.h"
#include "io/task.h"

namespace holdfast::proxy {

struct TunnelEnd {
  std::uint64_t to_server = 0;  ///< bytes
  std::uint64_t to_client = 0;
  bool idle = false;  ///< no byte in either direction for the idle timeout
};

/// Runs until both directions have ended.
/// On stop: cancel either stream.
io::Task<TunnelEnd> tunnel(Ref<io::Stream> client, Ref<io::Stream> server, Ref<io::BufferPool> buffers,
                           Duration idle_timeout);

}  // namespace holdfast::proxy

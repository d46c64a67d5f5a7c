// Connection: one open connection to an endpoint, and the pool of idle ones a loop keeps for it.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/pinned.h"
#include "base/time.h"
#include "io/stream.h"

namespace holdfast::upstream {

struct Connection : Pinned {
  explicit Connection(std::unique_ptr<io::Stream> opened) : stream(std::move(opened)) {}

  std::unique_ptr<io::Stream> stream;
  Instant idle_since{};
};

/// Idle connections of one loop to one endpoint: last in, first out, so that the warm ones work and the rest grow old.
class ConnectionPool {
 public:
  /// The most recently used connection that is still good; null when there is none. One with unread bytes or a hang-up
  /// is closed, never used: those bytes belong to no request of ours (response queue poisoning).
  std::unique_ptr<Connection> take();

  /// Keeps a connection whose last exchange is complete, unless `keep` are kept already.
  void put(std::unique_ptr<Connection> connection, Instant now, std::size_t keep);

  /// Closes what has been idle since before `oldest`.
  void close_idle_since(Instant oldest);

  std::size_t size() const { return idle_.size(); }
  void clear() { idle_.clear(); }

  /// The endpoint is gone from the configuration: closes what there is, and whatever a last request would put here.
  void retire() {
    retired_ = true;
    clear();
  }

 private:
  bool retired_ = false;
  std::vector<std::unique_ptr<Connection>> idle_;  // oldest first
};

}  // namespace holdfast::upstream

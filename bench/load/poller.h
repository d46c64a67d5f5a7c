// Poller: a bare epoll loop. The load generator must cost less than what it measures, so it has no coroutines, no
// timers and no allocation per event: a descriptor is registered once, edge-triggered, with the object that reacts to
// it.
#pragma once

#include <memory>
#include <vector>

#include "base/pinned.h"
#include "base/time.h"

namespace holdfast::bench {

/// The clock of everything here: CLOCK_MONOTONIC.
Instant read_clock();

/// Something that owns a descriptor and goes on when it is ready. It may be told once too often, never too rarely.
class Watched {
 public:
  virtual ~Watched() = default;
  virtual void ready() = 0;
};

class Poller : Pinned {
 public:
  Poller();
  ~Poller();

  /// Until `fd` is closed, `watched` hears of every edge: readable, writable, gone.
  void watch(int fd, Watched& watched) const;
  /// Waits until something is ready, at most until `until`, and tells everyone concerned.
  void turn(Instant until);
  /// Keeps what may still be told of an old edge until the end of the turn.
  void bury(std::unique_ptr<Watched> dead) { graves_.push_back(std::move(dead)); }

 private:
  int fd_;
  std::vector<std::unique_ptr<Watched>> graves_;
};

}  // namespace holdfast::bench

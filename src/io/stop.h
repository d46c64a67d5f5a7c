// Stop: a request to end, seen by everyone who holds it. Whoever waits registers what ends the wait.
//
// Stopping is a request: waits return at once from then on, loops test it, and tasks unwind by returning.
#pragma once

#include <functional>
#include <list>

#include "base/pinned.h"
#include "base/time.h"
#include "io/task.h"

namespace holdfast::io {

class Loop;

class Stop : Pinned {
 public:
  bool requested() const { return requested_; }

  /// Calls every registered hook once. Later hooks are called at registration.
  void request();

  /// While it lives, request() calls `hook`.
  class Hook : Pinned {
   public:
    Hook(Stop& stop, std::function<void()> hook);
    ~Hook();

   private:
    Stop* stop_;
    std::list<std::function<void()>>::iterator place_;
  };

 private:
  bool requested_ = false;
  std::list<std::function<void()>> hooks_;
};

/// Sleeps until `until`, or until `stop` is requested.
Task<> sleep_until(Ref<Loop> loop, Instant until, Ref<Stop> stop);

}  // namespace holdfast::io

// Signal: one coroutine waits, another (of the same loop) wakes it. The building block of queues, sleeps and joins.
//
// A notification is not lost when nobody waits yet: the next wait() returns at once.
#pragma once

#include <coroutine>

#include "base/pinned.h"
#include "base/time.h"
#include "io/timer_wheel.h"

namespace holdfast::io {

class Loop;

class Signal : Pinned {
 public:
  explicit Signal(Loop& loop) : timer_(&Signal::timed_out), loop_(&loop) {}
  ~Signal();

  /// Wakes the waiter in the loop's next turn, or lets the next wait() return at once.
  void notify();

  struct Awaiter {
    Signal* signal;
    Deadline deadline;
    bool await_ready() const;
    void await_suspend(std::coroutine_handle<> waiter);
    bool await_resume();
  };
  /// True when notified, false when the deadline passed first.
  /// Requires: at most one waiter at a time.
  Awaiter wait(Deadline deadline) { return Awaiter{this, deadline}; }

 private:
  static void timed_out(Timer& timer);
  void wake();

  Timer timer_;  // first: timed_out() finds the signal by it
  Loop* loop_;
  std::coroutine_handle<> waiter_;
  bool notified_ = false;
};

}  // namespace holdfast::io

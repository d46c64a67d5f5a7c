// Gate: which of two comes first, an engine that is about to commit or a caller whose time is up. The engine passes it
// right before the point of no return; a caller that shuts it before knows that nothing was, and nothing will be,
// written.
#pragma once

#include <atomic>

#include "base/pinned.h"

namespace holdfast::store {

class Gate : Pinned {
 public:
  /// The engine's side. False: nobody waits for this any more, undo it.
  bool pass() { return leave_open(State::passed); }
  /// The caller's side. False: too late, it is being done.
  bool shut() { return leave_open(State::shut); }

  bool is_passed() const { return state_.load(std::memory_order_acquire) == State::passed; }
  bool is_shut() const { return state_.load(std::memory_order_acquire) == State::shut; }

 private:
  enum class State : unsigned char { open, passed, shut };

  bool leave_open(State to) {
    State expected = State::open;
    return state_.compare_exchange_strong(expected, to, std::memory_order_acq_rel) || expected == to;
  }

  std::atomic<State> state_ = State::open;
};

}  // namespace holdfast::store

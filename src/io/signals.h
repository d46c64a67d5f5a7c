// Signals as something a loop waits for: SIGTERM, SIGHUP and their like arrive as numbers read from a descriptor.
#pragma once

#include <initializer_list>

#include "io/descriptor.h"
#include "io/stream.h"

namespace holdfast::io {

/// Blocks the signals for the calling thread and every thread it starts, so that only Signals sees them.
/// Requires: called before any thread is started.
void block_signals(std::initializer_list<int> numbers);

/// Ignores SIGPIPE: a closed peer is an error of the write, not the end of the process.
void ignore_broken_pipes();

class Signals : Pinned {
 public:
  /// Requires: block_signals() with the same numbers came before.
  Signals(Loop& loop, std::initializer_list<int> numbers);

  /// Waits for readability, then take().
  class Arrival : public Operation {
   public:
    explicit Arrival(Signals& signals) : Operation(&Arrival::attempt), signals_(&signals) {}
    bool await_ready() { return attempt(*this); }
    void await_suspend(std::coroutine_handle<> waiter);
    /// The signal's number; 0 when cancelled.
    int await_resume() const { return number_; }

   private:
    static bool attempt(Operation& operation);
    Signals* signals_;
    int number_ = 0;
  };

  Arrival next() { return Arrival(*this); }
  void cancel() { descriptor_.cancel(); }

 private:
  Descriptor descriptor_;
};

}  // namespace holdfast::io

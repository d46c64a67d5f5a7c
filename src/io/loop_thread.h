// LoopThread: a loop on a thread of its own.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "io/loop.h"

namespace holdfast::io {

/// Processors this process may run on, at least 1.
unsigned processor_count();

class LoopThread : Pinned {
 public:
  /// Starts a thread named `name` (15 characters at most are shown by the system) that runs the loop until stop().
  explicit LoopThread(const std::string& name);
  /// Stops the loop and waits for the thread.
  ~LoopThread();

  Loop& loop() { return loop_; }

  /// Runs `work` on the loop and waits until it is done. Not from that loop's own thread.
  void run_and_wait(std::move_only_function<void()> work);

 private:
  Loop loop_;
  std::thread thread_;
};

}  // namespace holdfast::io

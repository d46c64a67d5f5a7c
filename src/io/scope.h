// Scope: owns the tasks that nobody awaits. There is no detach: a task ends inside its scope, and a scope that dies
// while one still runs aborts, because that task's inputs are about to dangle.
#pragma once

#include <cstddef>

#include "base/pinned.h"
#include "base/time.h"
#include "io/signal.h"
#include "io/task.h"

namespace holdfast::io {

class Loop;

class Scope : Pinned, private TaskOwner {
 public:
  explicit Scope(Loop& loop) : idle_(loop) {}
  ~Scope() override;

  /// Starts `task` now, on this stack, up to its first wait.
  void add(Task<> task);

  std::size_t size() const { return running_; }

  /// Waits until every task has ended; false when the deadline passed first. One waiter at a time.
  Task<bool> join(Deadline deadline);

 private:
  void task_ended(std::coroutine_handle<> task) override;

  std::size_t running_ = 0;
  Signal idle_;
};

}  // namespace holdfast::io

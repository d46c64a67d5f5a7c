#include "io/scope.h"

#include "base/check.h"

namespace holdfast::io {

Scope::~Scope() { check(running_ == 0, "a scope outlives its tasks"); }

void Scope::add(Task<> task) {
  const Task<>::Handle handle = task.release();
  handle.promise().owner = this;
  ++running_;
  handle.resume();
}

void Scope::task_ended(std::coroutine_handle<> task) {
  task.destroy();
  if (--running_ == 0) idle_.notify();
}

Task<bool> Scope::join(Deadline deadline) {
  while (running_ != 0) {
    const bool notified = co_await idle_.wait(deadline);
    if (!notified && running_ != 0) co_return false;
  }
  co_return true;
}

}  // namespace holdfast::io

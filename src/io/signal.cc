#include "io/signal.h"

#include <type_traits>
#include <utility>

#include "base/check.h"
#include "io/loop.h"

namespace holdfast::io {

Signal::~Signal() { check(!waiter_, "nobody waits for a signal that goes"); }

void Signal::notify() {
  notified_ = true;
  wake();
}

void Signal::wake() {
  if (!waiter_) return;
  timer_.cancel();
  loop_->resume_soon(std::exchange(waiter_, nullptr));
}

void Signal::timed_out(Timer& timer) {
  static_assert(std::is_standard_layout_v<Signal>, "a signal starts with its timer");
  reinterpret_cast<Signal&>(timer).wake();
}

bool Signal::Awaiter::await_ready() const { return signal->notified_; }

void Signal::Awaiter::await_suspend(std::coroutine_handle<> waiter) {
  check(!signal->waiter_, "a signal has one waiter");
  signal->waiter_ = waiter;
  if (deadline != kNever) signal->loop_->timers().schedule(signal->timer_, deadline);
}

bool Signal::Awaiter::await_resume() { return std::exchange(signal->notified_, false); }

}  // namespace holdfast::io

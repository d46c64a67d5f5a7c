#include "io/blocking_work.h"

#include "io/signal.h"

namespace holdfast::io {

BlockingWork::BlockingWork(Loop& loop, const std::string& name, Late late)
    : loop_(loop),
      late_(std::move(late)),
      thread_(loop.is_simulated() ? nullptr : std::make_unique<LoopThread>(name)) {}

Task<> BlockingWork::carry_out(std::move_only_function<void()> job) {
  if (thread_ == nullptr) {
    job();
    co_return;
  }
  Signal done(loop_);
  thread_->loop().post([&loop = loop_, &done, job = std::move(job)]() mutable {
    job();
    loop.post([&done] { done.notify(); });
  });
  const bool in_time = co_await done.wait(loop_.now() + kPatience);
  if (in_time) co_return;
  late_();
  co_await done.wait(kNever);  // it has what it works on, and we have where it says that it is done
}

}  // namespace holdfast::io

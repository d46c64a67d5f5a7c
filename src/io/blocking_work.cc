#include "io/blocking_work.h"

#include "io/signal.h"

namespace holdfast::io {

Task<> BlockingWork::carry_out(std::move_only_function<void()> job) {
  if (loop_.is_simulated()) {
    job();
    co_return;
  }
  if (thread_ == nullptr) thread_ = std::make_unique<LoopThread>(name_);
  Signal done(loop_);
  thread_->loop().post([&loop = loop_, &done, job = std::move(job)]() mutable {
    job();
    loop.post([&done] { done.notify(); });
  });
  co_await done.wait(kNever);
}

}  // namespace holdfast::io

// BlockingWork: what can only be done by waiting for it in the kernel, a disk's fsync() above all, on a thread of its
// own. The loop goes on meanwhile, however long it takes.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "io/loop.h"
#include "io/loop_thread.h"
#include "io/task.h"

namespace holdfast::io {

class BlockingWork : Pinned {
 public:
  /// After so long `late` is told, once for each work that takes longer.
  static constexpr Duration kPatience = 10s;
  using Late = std::function<void()>;

  /// `name`: of the thread.
  BlockingWork(Loop& loop, const std::string& name, Late late);

  /// Runs `work` there, after what was given before, and returns what it does. It owns all that it touches: nothing is
  /// locked. In simulated time, where nothing takes any, it runs here.
  template <class Work>
  Task<std::invoke_result_t<Work&>> run(Work work) {
    const auto result = std::make_shared<std::optional<std::invoke_result_t<Work&>>>();
    std::move_only_function<void()> job = [work = std::move(work), result]() mutable { result->emplace(work()); };
    co_await carry_out(std::move(job));
    co_return std::move(**result);
  }

 private:
  Task<> carry_out(std::move_only_function<void()> job);

  Loop& loop_;
  const Late late_;
  const std::unique_ptr<LoopThread> thread_;  ///< none where time is simulated
};

}  // namespace holdfast::io

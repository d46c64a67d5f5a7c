#include "io/loop_thread.h"

#include <algorithm>
#include <future>
#include <pthread.h>

namespace holdfast::io {

unsigned processor_count() { return std::max(std::thread::hardware_concurrency(), 1U); }

LoopThread::LoopThread(const std::string& name) : thread_([this] { loop_.run(); }) {
  ::pthread_setname_np(thread_.native_handle(), name.substr(0, 15).c_str());
}

LoopThread::~LoopThread() {
  loop_.stop();
  thread_.join();
}

void LoopThread::run_and_wait(std::move_only_function<void()> work) {
  std::promise<void> done;
  loop_.post([&work, &done] {
    work();
    done.set_value();
  });
  done.get_future().wait();
}

}  // namespace holdfast::io

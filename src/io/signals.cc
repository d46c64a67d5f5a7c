#include "io/signals.h"

#include <csignal>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/check.h"

namespace holdfast::io {
namespace {

sigset_t set_of(std::initializer_list<int> numbers) {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : numbers) sigaddset(&set, number);
  return set;
}

int open_signalfd(std::initializer_list<int> numbers) {
  const sigset_t set = set_of(numbers);
  return ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

}  // namespace

void block_signals(std::initializer_list<int> numbers) {
  const sigset_t set = set_of(numbers);
  check(::pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0, "pthread_sigmask");
}

void ignore_broken_pipes() { (void)std::signal(SIGPIPE, SIG_IGN); }

Signals::Signals(Loop& loop, std::initializer_list<int> numbers) : descriptor_(loop, open_signalfd(numbers)) {}

void Signals::Arrival::await_suspend(std::coroutine_handle<> waiter) {
  signals_->descriptor_.wait(*this, Descriptor::Direction::read, waiter, kNever);
}

bool Signals::Arrival::attempt(Operation& operation) {
  auto& self = static_cast<Arrival&>(operation);
  if (self.signals_->descriptor_.cancelled()) return true;
  signalfd_siginfo info{};
  if (::read(self.signals_->descriptor_.fd(), &info, sizeof info) != sizeof info) return false;
  self.number_ = static_cast<int>(info.ssi_signo);
  return true;
}

}  // namespace holdfast::io

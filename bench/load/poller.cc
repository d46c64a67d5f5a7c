#include "load/poller.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/check.h"

namespace holdfast::bench {

Instant read_clock() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return Instant(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

Poller::Poller() : fd_(::epoll_create1(EPOLL_CLOEXEC)) { check(fd_ >= 0, "epoll_create1 failed"); }

Poller::~Poller() { ::close(fd_); }

void Poller::watch(int fd, Watched& watched) const {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &watched;
  check(::epoll_ctl(fd_, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl failed");
}

void Poller::turn(Instant until) {
  std::array<epoll_event, 256> events;
  const Duration left = std::max(until - read_clock(), Duration::zero());
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
  const timespec wait{.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
  const int count = ::epoll_pwait2(fd_, events.data(), static_cast<int>(events.size()), &wait, nullptr);
  for (int i = 0; i < count; ++i) static_cast<Watched*>(events[static_cast<std::size_t>(i)].data.ptr)->ready();
  graves_.clear();
}

}  // namespace holdfast::bench

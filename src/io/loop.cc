#include "io/loop.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include <utility>

#include "base/check.h"
#include "io/descriptor.h"

namespace holdfast::io {

namespace {

Duration read(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

}  // namespace

Instant read_clock() { return Instant(read(CLOCK_MONOTONIC)); }

BootInstant read_boot_clock() { return BootInstant(read(CLOCK_BOOTTIME)); }

std::int64_t read_wall_clock_us() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

// Work from other threads: a list under a mutex and an eventfd that wakes the loop once per batch.
struct Loop::Mailbox {
  explicit Mailbox(Loop& loop) : wake(loop, ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

  std::mutex mutex;
  std::vector<std::move_only_function<void()>> letters;  // guarded by mutex
  Descriptor wake;
};

Loop::Loop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), now_(read_clock()), timers_(now_) {
  check(epoll_ >= 0, "epoll_create1");
  mailbox_ = std::make_unique<Mailbox>(*this);
}

Loop::Loop(SimulatedTime time)
    : simulated_(time), epoll_(::epoll_create1(EPOLL_CLOEXEC)), now_(time.start), timers_(now_) {
  check(epoll_ >= 0, "epoll_create1");
  mailbox_ = std::make_unique<Mailbox>(*this);
}

Loop::~Loop() {
  mailbox_.reset();
  ::close(epoll_);
}

void Loop::run() {
  while (!stopping_.exchange(false, std::memory_order_acquire)) {
    if (!turn()) return;
  }
}

void Loop::stop() {
  stopping_.store(true, std::memory_order_release);
  post([] {});
}

void Loop::post(std::move_only_function<void()> work) {
  const std::lock_guard lock(mailbox_->mutex);
  mailbox_->letters.push_back(std::move(work));
  if (mailbox_->letters.size() > 1) return;  // whoever wrote the first letter has rung
  const std::uint64_t one = 1;
  check(::write(mailbox_->wake.fd(), &one, sizeof one) == sizeof one, "eventfd takes one more ring");
}

Instant Loop::exact_now() const { return simulated_ ? now_ : read_clock(); }

BootInstant Loop::boot_now() const {
  return simulated_ ? simulated_->boot_start + (now_ - simulated_->start) : read_boot_clock();
}

// Nothing can happen before the next timer is due: so it is.
bool Loop::put_clock_forward() {
  if (!ready_.empty() || !line_.empty()) return true;
  const Instant look = timers_.next_look();
  if (look == kNever) return false;
  now_ = std::max(now_, look);
  return true;
}

bool Loop::turn() {
  const int count = ::epoll_wait(epoll_, events_.data(), kEventsPerTurn, milliseconds_to_wait());
  check(count >= 0 || errno == EINTR, "epoll_wait");
  if (!simulated_) {
    now_ = read_clock();
  } else if (count == 0 && !put_clock_forward()) {
    return false;
  }

  event_count_ = std::max(count, 0);
  note_events();
  for (event_ = 0; event_ < event_count_; ++event_) {
    const epoll_event event = events_[static_cast<std::size_t>(event_)];
    if (event.data.ptr == nullptr) continue;  // closed by an earlier event of this batch
    static_cast<Descriptor*>(event.data.ptr)->on_events(event.events);
  }
  event_count_ = 0;
  begin_some();

  if (mailbox_->wake.take_readable()) {
    std::uint64_t rings = 0;
    (void)!::read(mailbox_->wake.fd(), &rings, sizeof rings);
    std::vector<std::move_only_function<void()>> letters;
    {
      const std::lock_guard lock(mailbox_->mutex);
      letters.swap(mailbox_->letters);
    }
    for (auto& letter : letters) letter();
  }

  timers_.advance(now_);
  resume_ready();
  return true;
}

// All of them know what has come before the first of them acts: who takes another connection from a pool must see that
// bytes wait there which nobody asked for. With hundreds of connections a descriptor, and the frame that waits for it,
// have left the cache since their last event: they are fetched while others are noted.
void Loop::note_events() {
  const auto descriptor_of = [this](int event) {
    return static_cast<Descriptor*>(events_[static_cast<std::size_t>(event)].data.ptr);
  };
  for (int event = 0; event < event_count_; ++event) {
    if (event + kEventsLookAhead < event_count_) __builtin_prefetch(descriptor_of(event + kEventsLookAhead));
    descriptor_of(event)->note(events_[static_cast<std::size_t>(event)].events);
    __builtin_prefetch(descriptor_of(event)->reader_);
  }
}

void Loop::stand_in_line(Descriptor& descriptor) {
  if (std::exchange(descriptor.in_line_, true)) return;
  line_.push_back(&descriptor);
}

void Loop::begin_some() {
  for (int begun = 0; begun < kBeginsPerTurn && !line_.empty(); ++begun) {
    Descriptor* const next = line_.front();
    line_.pop_front();
    if (next != nullptr) next->begin();
  }
}

// What becomes ready while these run waits for the next turn: sockets get their share.
void Loop::resume_ready() {
  resuming_.swap(ready_);
  for (const std::coroutine_handle<> waiter : resuming_) waiter.resume();
  resuming_.clear();
}

int Loop::milliseconds_to_wait() const {
  if (simulated_) return 0;
  if (!ready_.empty() || !line_.empty()) return 0;
  const Instant look = timers_.next_look();
  if (look == kNever) return -1;
  const Duration ahead = look - read_clock();
  if (ahead <= Duration::zero()) return 0;
  constexpr Duration kLongest = 60s;
  return static_cast<int>((std::min(ahead, kLongest) + 999999ns) / 1ms);
}

void Loop::watch(Descriptor& descriptor) {
  check(!simulated_ || !mailbox_, "a simulated loop has no descriptor but its own");
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &descriptor;
  const int done = ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor.fd(), &event);
  check(done == 0, "epoll_ctl add");
}

// Closing the last handle of a file removes it from epoll, without a call of ours. What this batch still holds for it
// is blanked.
void Loop::forget(Descriptor& descriptor) {
  if (descriptor.file_is_shared_) ::epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor.fd(), nullptr);
  if (descriptor.in_line_) std::ranges::replace(line_, &descriptor, nullptr);
  if (dispatching_ == &descriptor) dispatching_ = nullptr;
  for (int i = event_ + 1; i < event_count_; ++i) {
    epoll_event& event = events_[static_cast<std::size_t>(i)];
    if (event.data.ptr == &descriptor) event.data.ptr = nullptr;
  }
}

}  // namespace holdfast::io

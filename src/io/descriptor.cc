#include "io/descriptor.h"

#include <algorithm>
#include <cerrno>
#include <sys/epoll.h>
#include <type_traits>
#include <unistd.h>
#include <utility>

#include "base/check.h"
#include "io/loop.h"

namespace holdfast::io {

OnBroken::OnBroken(Descriptor& descriptor, Tell tell) : descriptor_(&descriptor), tell_(tell) {
  check(descriptor.on_broken_ == nullptr, "one is told when a descriptor breaks");
  descriptor.on_broken_ = this;
}

OnBroken::~OnBroken() { descriptor_->on_broken_ = nullptr; }

Descriptor::Descriptor(Loop& loop, int fd) : timer_(&Descriptor::deadline_passed), loop_(&loop), fd_(fd) {
  check(fd >= 0, "a descriptor owns an open file");
  loop.watch(*this);
}

Descriptor::~Descriptor() {
  check(reader_ == nullptr, "no operation reads from a descriptor that goes");
  check(writer_ == nullptr, "no operation writes to a descriptor that goes");
  loop_->forget(*this);
  ::close(fd_);
}

bool Descriptor::take_readable() { return std::exchange(readable_, false); }

void Descriptor::wait(Operation& operation, Direction direction, std::coroutine_handle<> waiter, Deadline deadline) {
  Operation*& slot = direction == Direction::read ? reader_ : writer_;
  check(slot == nullptr, "one waiter a direction");
  operation.waiter_ = waiter;
  operation.deadline_ = deadline;
  slot = &operation;
  if (cancelled_ || (reading_stopped_ && direction == Direction::read)) {
    finish(slot, ECANCELED);
  } else {
    arm(deadline);
  }
}

// Lazy: a timer that is set to fire earlier stays where it is and looks again then. Most deadlines only ever move away.
void Descriptor::arm(Deadline deadline) {
  if (deadline == kNever) return;
  if (!timer_.scheduled() || deadline < timer_.due()) loop_->timers().schedule(timer_, deadline);
}

void Descriptor::note(unsigned events) {
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) hung_up_ = true;
  if (hung_up_ || (events & EPOLLIN) != 0) readable_ = true;
}

// The same is noted a second time: an earlier event of this turn may have looked, found nothing yet, and forgotten it.
void Descriptor::on_events(unsigned events) {
  // Either waiter may destroy this descriptor; the loop then blanks dispatching_, and nothing of ours may be touched.
  Loop& loop = *loop_;
  loop.dispatching_ = this;
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
    const bool news = !std::exchange(broken_, true);
    if (news && on_broken_ != nullptr) on_broken_->tell_(*on_broken_);
  }
  note(events);
  if (hung_up_ || (events & EPOLLIN) != 0) {
    if (reader_ != nullptr && reader_->begins) {
      loop.stand_in_line(*this);
    } else if (reader_ != nullptr) {
      attempt(reader_);
    }
    if (loop.dispatching_ != this) return;
  }
  if (broken_ || (events & EPOLLOUT) != 0) {
    writable_ = true;
    if (writer_ != nullptr) attempt(writer_);
  }
}

void Descriptor::attempt(Operation*& slot) {
  if (!slot->attempt_(*slot)) return;
  std::exchange(slot, nullptr)->waiter_.resume();
}

void Descriptor::begin() {
  in_line_ = false;
  if (reader_ != nullptr) attempt(reader_);
}

void Descriptor::finish(Operation*& slot, int error) {
  slot->error = error;
  loop_->resume_soon(std::exchange(slot, nullptr)->waiter_);
}

void Descriptor::cancel() {
  cancelled_ = true;
  if (reader_ != nullptr) finish(reader_, ECANCELED);
  if (writer_ != nullptr) finish(writer_, ECANCELED);
}

void Descriptor::stop_reading() {
  reading_stopped_ = true;
  if (reader_ != nullptr) finish(reader_, ECANCELED);
}

void Descriptor::deadline_passed(Timer& timer) {
  static_assert(std::is_standard_layout_v<Descriptor>, "a descriptor starts with its timer");
  auto& self = reinterpret_cast<Descriptor&>(timer);
  const Instant now = self.loop_->now();
  for (Operation** slot : {&self.reader_, &self.writer_}) {
    if (*slot == nullptr) continue;
    if (self.in_line_ && (*slot)->begins) continue;  // it has come in time
    if ((*slot)->deadline_ <= now) {
      self.finish(*slot, ETIMEDOUT);
    } else {
      self.arm((*slot)->deadline_);
    }
  }
}

}  // namespace holdfast::io

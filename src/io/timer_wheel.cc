#include "io/timer_wheel.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "base/check.h"

namespace holdfast::io {

void Timer::cancel() {
  if (wheel_ != nullptr) wheel_->unlink(*this);
}

TimerWheel::~TimerWheel() { check(size_ == 0, "every timer is cancelled before its wheel goes"); }

std::uint64_t TimerWheel::tick_at_or_after(Instant due) const {
  if (due <= origin_) return 0;
  const Duration ahead = due - origin_;
  return static_cast<std::uint64_t>((ahead.count() + kTick.count() - 1) / Duration(kTick).count());
}

void TimerWheel::schedule(Timer& timer, Instant due) {
  timer.cancel();
  timer.due_ = due;
  link(timer, due == kNever ? tick_ + kHorizon : std::max(tick_at_or_after(due), tick_ + 1));
}

// The level is the highest group of six bits in which `tick` differs from now: so a slot never holds two rounds.
void TimerWheel::link(Timer& timer, std::uint64_t tick) {
  tick = std::min(tick, tick_ + kHorizon);
  const std::uint64_t differs = tick ^ tick_;
  const int level = std::min((static_cast<int>(std::bit_width(differs)) - 1) / kBits, kLevels - 1);
  const std::uint64_t index = (tick >> (level * kBits)) & (kSlots - 1);
  const auto slot = static_cast<std::uint16_t>(static_cast<std::uint64_t>(level) * kSlots + index);

  timer.wheel_ = this;
  timer.slot_ = slot;
  timer.previous_ = nullptr;
  timer.next_ = slots_[slot];
  if (timer.next_ != nullptr) timer.next_->previous_ = &timer;
  slots_[slot] = &timer;
  occupied_[static_cast<std::size_t>(level)] |= std::uint64_t{1} << index;
  ++size_;
}

void TimerWheel::unlink(Timer& timer) {
  if (timer.previous_ != nullptr) {
    timer.previous_->next_ = timer.next_;
  } else {
    slots_[timer.slot_] = timer.next_;
    if (timer.next_ == nullptr) occupied_[timer.slot_ / kSlots] &= ~(std::uint64_t{1} << (timer.slot_ % kSlots));
  }
  if (timer.next_ != nullptr) timer.next_->previous_ = timer.previous_;
  timer.wheel_ = nullptr;
  --size_;
}

std::uint64_t TimerWheel::next_tick() const {
  for (int level = 0; level < kLevels; ++level) {
    const std::uint64_t occupied = occupied_[static_cast<std::size_t>(level)];
    if (occupied == 0) continue;
    const int shift = level * kBits;
    const std::uint64_t here = (tick_ >> shift) & (kSlots - 1);
    // Slots behind `here` on this level can only belong to the next round of the top level; turning the bitmap so that
    // `here` comes first makes the distance a count of zeros.
    const auto ahead = static_cast<std::uint64_t>(std::countr_zero(std::rotr(occupied, static_cast<int>(here))));
    return ((tick_ >> shift) + ahead) << shift;
  }
  return std::numeric_limits<std::uint64_t>::max();
}

Instant TimerWheel::next_look() const {
  const std::uint64_t tick = next_tick();
  if (tick == std::numeric_limits<std::uint64_t>::max()) return kNever;
  return origin_ + Duration(kTick) * static_cast<Duration::rep>(tick);
}

void TimerWheel::advance(Instant now) {
  if (now <= origin_) return;
  const auto target = static_cast<std::uint64_t>((now - origin_) / kTick);
  while (true) {
    const std::uint64_t next = next_tick();
    if (next > target) break;
    tick_ = next;
    // Highest level first: what it holds for this very tick moves down and fires below.
    for (int level = kLevels - 1; level > 0; --level) {
      const std::uint64_t below = (std::uint64_t{1} << (level * kBits)) - 1;
      if ((tick_ & below) == 0) fire_slot(level, (tick_ >> (level * kBits)) & (kSlots - 1));
    }
    fire_slot(0, tick_ & (kSlots - 1));
  }
  tick_ = std::max(tick_, target);
}

// Fires what is due in a slot and links the rest anew, now on a lower level.
void TimerWheel::fire_slot(int level, std::uint64_t index) {
  const std::size_t slot = static_cast<std::size_t>(level) * kSlots + index;
  // A fired timer may schedule itself into this same slot (a round later): stop at those that are not due.
  while (Timer* timer = slots_[slot]) {
    const std::uint64_t due = timer->due_ == kNever ? tick_ + kHorizon : tick_at_or_after(timer->due_);
    unlink(*timer);
    if (due > tick_) {
      link(*timer, due);
      check(timer->slot_ != slot, "a timer moves to a lower level");
    } else {
      timer->fire_(*timer);
    }
  }
}

bool TimerWheel::validate() const {
  std::size_t seen = 0;
  for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
    const bool marked = (occupied_[slot / kSlots] >> (slot % kSlots)) & 1U;
    if (marked != (slots_[slot] != nullptr)) return false;
    const Timer* previous = nullptr;
    for (const Timer* timer = slots_[slot]; timer != nullptr; timer = timer->next_) {
      if (timer->wheel_ != this || timer->previous_ != previous || timer->slot_ != slot) return false;
      previous = timer;
      ++seen;
    }
  }
  return seen == size_;
}

}  // namespace holdfast::io

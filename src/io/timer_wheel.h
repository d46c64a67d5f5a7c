// TimerWheel: many deadlines, few of which ever pass.
//
// A hierarchical wheel of six levels of 64 slots with ticks of 1 ms (2.2 years ahead; what lies further is clamped and
// looked at again). Schedule and cancel are O(1) on intrusive nodes; a bitmap per level finds the next due slot without
// walking. Takes `now` as an argument and reads no clock.
// Source: Varghese and Lauck 1987, "Hashed and hierarchical timing wheels", scheme 7.
#pragma once

#include <array>
#include <cstdint>

#include "base/pinned.h"
#include "base/time.h"

namespace holdfast::io {

class TimerWheel;

/// One pending call. Intrusive: the owner embeds it and it leaves the wheel when it dies.
class Timer {
 public:
  using Fire = void (*)(Timer& timer);

  explicit Timer(Fire fire) : fire_(fire) {}
  ~Timer() { cancel(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  bool scheduled() const { return wheel_ != nullptr; }
  /// When it will fire. Requires: scheduled().
  Instant due() const { return due_; }
  void cancel();

 private:
  friend class TimerWheel;

  Fire fire_;
  TimerWheel* wheel_ = nullptr;
  Timer* previous_ = nullptr;
  Timer* next_ = nullptr;
  Instant due_{};
  std::uint16_t slot_ = 0;
};

class TimerWheel : Pinned {
 public:
  static constexpr Duration kTick = 1ms;

  explicit TimerWheel(Instant now) : origin_(now) {}
  ~TimerWheel();

  /// Fires `timer` in the first advance() at or after `due`, at most one tick late; never early. Moves one that is
  /// already scheduled.
  void schedule(Timer& timer, Instant due);

  /// Fires everything that is due. A timer may schedule or cancel any timer, itself included.
  void advance(Instant now);

  /// When advance() has something to do next: the earliest due instant, or earlier (to move timers between levels);
  /// kNever when empty.
  Instant next_look() const;

  std::size_t size() const { return size_; }
  /// Walks all nodes; false when the structure contradicts itself.
  bool validate() const;

 private:
  friend class Timer;

  static constexpr int kLevels = 6;
  static constexpr int kBits = 6;
  static constexpr std::uint64_t kSlots = 1U << kBits;
  /// One slot of the top level short of a full round, so that the furthest timer never lands in the slot of `now`.
  static constexpr std::uint64_t kHorizon = ((kSlots - 1) << (kBits * (kLevels - 1))) - 1;

  std::uint64_t tick_at_or_after(Instant due) const;
  void link(Timer& timer, std::uint64_t tick);
  void unlink(Timer& timer);
  void fire_slot(int level, std::uint64_t index);
  std::uint64_t next_tick() const;

  Instant origin_;
  std::uint64_t tick_ = 0;  ///< everything at or before it has fired
  std::size_t size_ = 0;
  std::array<std::uint64_t, kLevels> occupied_{};
  std::array<Timer*, kLevels * kSlots> slots_{};
};

}  // namespace holdfast::io

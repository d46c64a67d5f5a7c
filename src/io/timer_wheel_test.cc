#include "io/timer_wheel.h"

#include <deque>
#include <gtest/gtest.h>
#include <map>

#include "base/prng.h"

namespace holdfast::io {
namespace {

struct Recorded : Timer {
  explicit Recorded(const Instant* clock) : Timer(&Recorded::fire), now(clock) {}
  static void fire(Timer& timer) {
    auto& self = static_cast<Recorded&>(timer);
    ++self.fired;
    self.fired_at = *self.now;
  }
  const Instant* now;
  int fired = 0;
  Instant fired_at{};
};

TEST(TimerWheel, fires_never_early_and_at_most_one_tick_late_at_every_distance) {
  Instant now(12345ns);
  TimerWheel wheel(now);
  Prng prng(1);
  std::deque<Recorded> timers;
  for (int power = 0; power < 34; ++power) {
    Recorded& timer = timers.emplace_back(&now);
    wheel.schedule(timer, now + 1us * static_cast<long>(prng.below(std::uint64_t{1} << power) + 1));
  }
  std::map<Instant, Recorded*> by_due;
  for (Recorded& timer : timers) by_due[timer.due()] = &timer;
  while (wheel.size() > 0) {
    const Instant look = wheel.next_look();
    ASSERT_LT(look, kNever);
    now = std::max(now, look);
    wheel.advance(now);
    ASSERT_TRUE(wheel.validate());
  }
  for (const auto& [due, timer] : by_due) {
    EXPECT_EQ(timer->fired, 1);
    EXPECT_GE(timer->fired_at, due);
    EXPECT_LE(timer->fired_at, due + TimerWheel::kTick);
  }
}

TEST(TimerWheel, next_look_is_never_later_than_the_earliest_timer) {
  Instant now{};
  TimerWheel wheel(now);
  Prng prng(7);
  std::deque<Recorded> timers;
  for (int round = 0; round < 2000; ++round) {
    Recorded& timer = timers.emplace_back(&now);
    wheel.schedule(timer, now + 1ms * static_cast<long>(prng.below(100'000)));
    if (prng.below(4) == 0) timers[prng.below(timers.size())].cancel();
    Instant earliest = kNever;
    for (const Recorded& each : timers) {
      if (each.scheduled()) earliest = std::min(earliest, each.due());
    }
    if (earliest != kNever) {
      ASSERT_LE(wheel.next_look(), std::max(earliest, now) + TimerWheel::kTick);
    }
    now += 1ms * static_cast<long>(prng.below(200));
    wheel.advance(now);
    ASSERT_TRUE(wheel.validate());
    for (const Recorded& each : timers) {
      ASSERT_TRUE(!each.scheduled() || each.due() + TimerWheel::kTick > now);
    }
  }
  for (Recorded& each : timers) each.cancel();
}

TEST(TimerWheel, moving_a_timer_fires_it_once_at_the_new_instant) {
  Instant now{};
  TimerWheel wheel(now);
  Recorded timer(&now);
  wheel.schedule(timer, now + 5ms);
  wheel.schedule(timer, now + 500ms);
  now += 100ms;
  wheel.advance(now);
  EXPECT_EQ(timer.fired, 0);
  now += 401ms;
  wheel.advance(now);
  EXPECT_EQ(timer.fired, 1);
}

struct Repeating : Timer {
  explicit Repeating(TimerWheel* owner) : Timer(&Repeating::fire), wheel(owner) {}
  static void fire(Timer& timer) {
    auto& self = static_cast<Repeating&>(timer);
    ++self.fired;
    self.wheel->schedule(self, self.due() + 10ms);
  }
  TimerWheel* wheel;
  int fired = 0;
};

TEST(TimerWheel, a_timer_may_schedule_itself_while_it_fires) {
  Instant now{};
  TimerWheel wheel(now);
  Repeating timer(&wheel);
  wheel.schedule(timer, now + 10ms);
  now += 1s;
  wheel.advance(now);
  EXPECT_EQ(timer.fired, 100);
}

TEST(TimerWheel, never_is_kept_and_does_not_fire) {
  Instant now{};
  TimerWheel wheel(now);
  Recorded timer(&now);
  wheel.schedule(timer, kNever);
  for (int year = 0; year < 5; ++year) {
    now += std::chrono::hours(24 * 365);
    wheel.advance(now);
  }
  EXPECT_EQ(timer.fired, 0);
  EXPECT_TRUE(timer.scheduled());
}

}  // namespace
}  // namespace holdfast::io

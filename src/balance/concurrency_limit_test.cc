#include "balance/concurrency_limit.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <queue>
#include <vector>

#include "base/prng.h"

namespace holdfast::balance {
namespace {

/// Fills it to the last place; returns how many went in.
unsigned fill(ConcurrencyLimit& limit) {
  unsigned entered = 0;
  while (limit.try_enter()) ++entered;
  return entered;
}

/// `count` answers while every place is taken.
void answer(ConcurrencyLimit& limit, int count, Duration took, bool dropped = false) {
  for (int i = 0; i < count; ++i) {
    fill(limit);
    limit.leave(took, dropped);
    ASSERT_EQ(limit.validate(), "");
  }
}

TEST(ConcurrencyLimit, lets_in_as_many_as_its_limit) {
  ConcurrencyLimit limit;
  EXPECT_EQ(limit.limit(), 20U);
  for (unsigned i = 0; i < 20; ++i) EXPECT_TRUE(limit.try_enter());
  EXPECT_FALSE(limit.try_enter());
  EXPECT_EQ(limit.in_flight(), 20U);
  limit.leave_unmeasured();
  EXPECT_TRUE(limit.try_enter());
  EXPECT_EQ(limit.limit(), 20U);
}

TEST(ConcurrencyLimit, grows_while_answers_take_as_long_as_usual) {
  ConcurrencyLimit limit;
  answer(limit, 1, 10ms);
  // 20 of 20 under way: 0.8 * 20 + 0.2 * (20 + 4).
  EXPECT_EQ(limit.limit(), 20U);
  answer(limit, 9, 10ms);
  EXPECT_EQ(limit.limit(), 28U) << "0.8 with each answer";
  answer(limit, 5'000, 14ms);
  EXPECT_EQ(limit.limit(), 1'000U) << "and never beyond the most";
}

TEST(ConcurrencyLimit, does_not_grow_while_less_than_half_of_it_is_in_use) {
  ConcurrencyLimit limit;
  for (int i = 0; i < 9; ++i) limit.try_enter();
  for (int i = 0; i < 1'000; ++i) {
    limit.leave(10ms, false);
    limit.try_enter();
  }
  EXPECT_EQ(limit.limit(), 20U);
  limit.try_enter();
  limit.leave(10ms, false);
  limit.try_enter();
  limit.leave(10ms, false);
  EXPECT_EQ(limit.limit(), 20U) << "10 of 20 is half; 0.8 more";
  limit.try_enter();
  limit.try_enter();
  limit.leave(10ms, false);
  EXPECT_EQ(limit.limit(), 21U);
}

TEST(ConcurrencyLimit, falls_when_answers_take_much_longer_than_usual) {
  ConcurrencyLimit limit;
  answer(limit, 100, 10ms);
  EXPECT_EQ(limit.limit(), 100U);
  answer(limit, 1, 15ms);
  EXPECT_GE(limit.limit(), 100U) << "half as long again is no queue";
  answer(limit, 1, 30ms);
  EXPECT_LT(limit.limit(), 100U);
  answer(limit, 50, 30ms);
  EXPECT_LT(limit.limit(), 20U);
}

TEST(ConcurrencyLimit, falls_to_what_may_always_queue_when_everything_is_dropped) {
  ConcurrencyLimit limit;
  answer(limit, 100, 10ms);
  answer(limit, 1'000, 1ms, true);
  EXPECT_EQ(limit.limit(), 8U) << "L = L / 2 + 4";
}

TEST(ConcurrencyLimit, learns_no_time_from_what_was_dropped) {
  ConcurrencyLimit limit;
  answer(limit, 100, 10ms);
  answer(limit, 1'000, 1us, true);
  answer(limit, 200, 10ms);
  EXPECT_GT(limit.limit(), 100U) << "10 ms is still usual";
}

TEST(ConcurrencyLimit, gets_used_to_slower_answers) {
  ConcurrencyLimit limit;
  answer(limit, 1'000, 10ms);
  answer(limit, 100, 100ms);
  EXPECT_LT(limit.limit(), 20U);
  answer(limit, 10'000, 100ms);
  EXPECT_GT(limit.limit(), 500U);
}

TEST(ConcurrencyLimit, gets_used_to_faster_answers_sooner) {
  ConcurrencyLimit limit;
  answer(limit, 1'000, 100ms);
  answer(limit, 100, 10ms);
  answer(limit, 1, 100ms);
  const unsigned before = limit.limit();
  answer(limit, 20, 100ms);
  EXPECT_LT(limit.limit(), before) << "after 100 answers 10 ms is usual, and 100 ms is not";
}

TEST(ConcurrencyLimit, stays_within_its_bounds_whatever_comes) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    ConcurrencyLimit limit;
    Prng prng(seed);
    for (int i = 0; i < 5'000; ++i) {
      const std::uint64_t what = prng.below(4);
      if (what < 2) limit.try_enter();
      if (limit.in_flight() == 0) continue;
      if (what == 2) limit.leave(Duration(prng.below(1'000'000'000)), prng.below(10) == 0);
      if (what == 3 && prng.below(4) == 0) limit.leave_unmeasured();
      ASSERT_EQ(limit.validate(), "") << "seed " << seed;
    }
  }
}

/// A service of so many workers, each 10 ms a request, first come first served; calls come at random at a multiple of
/// what it can carry, and wait a second at most.
struct Overload {
  double times;
  double answered = 0;  ///< of what it can carry
  double p99_ms = 0;

  void run(bool limited, std::uint64_t seed) {
    constexpr int kWorkers = 20;
    constexpr double kService = 0.010;
    constexpr double kPatience = 1.0;
    constexpr double kSeconds = 60;
    constexpr double kWarmUp = 20;
    struct End {
      double at;
      double began;
      bool operator>(const End& other) const { return at > other.at; }
    };
    Prng prng(seed);
    ConcurrencyLimit limit;
    std::vector<double> free_at(kWorkers, 0.0);
    std::priority_queue<End, std::vector<End>, std::greater<>> ends;
    std::vector<double> times_ms;
    double now = 0;
    const double rate = times * kWorkers / kService;
    while (now < kSeconds) {
      now += -std::log(1.0 - prng.uniform()) / rate;
      while (!ends.empty() && ends.top().at <= now) {
        const double took = ends.top().at - ends.top().began;
        if (limited) limit.leave(Duration(static_cast<Duration::rep>(took * 1e9)), took >= kPatience);
        ends.pop();
        if (took < kPatience && now > kWarmUp) times_ms.push_back(took * 1e3);
      }
      if (limited && !limit.try_enter()) continue;
      const auto worker = std::ranges::min_element(free_at);
      *worker = std::max(*worker, now) + kService;
      ends.push({std::min(*worker, now + kPatience), now});
    }
    std::ranges::sort(times_ms);
    answered = static_cast<double>(times_ms.size()) / ((kSeconds - kWarmUp) * kWorkers / kService);
    if (!times_ms.empty()) p99_ms = times_ms[times_ms.size() * 99 / 100];
  }
};

TEST(ConcurrencyLimit, keeps_a_service_at_work_that_is_asked_four_times_too_much) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Overload without{4};
    without.run(false, seed);
    Overload with{4};
    with.run(true, seed);
    EXPECT_LT(without.answered, 0.1) << "all of its time goes into answers nobody waits for";
    EXPECT_GT(with.answered, 0.9) << "seed " << seed;
    EXPECT_LT(with.p99_ms, 100) << "seed " << seed;
    RecordProperty("p99_us", static_cast<int>(with.p99_ms * 1e3));
    RecordProperty("answered_permille", static_cast<int>(with.answered * 1e3));
  }
}

TEST(ConcurrencyLimit, begins_after_a_reload_with_what_was_found_out) {
  ConcurrencyLimit before;
  for (int i = 0; i < 200; ++i) {
    while (before.in_flight() < before.limit() && before.try_enter()) {
    }
    before.leave(10ms, false);
  }
  ASSERT_GT(before.limit(), static_cast<unsigned>(kConcurrencyStart));
  ConcurrencyLimit after;
  after.adopt(before);
  EXPECT_EQ(after.limit(), before.limit());
  EXPECT_EQ(after.in_flight(), 0U);
  EXPECT_EQ(after.validate(), "");
}

}  // namespace
}  // namespace holdfast::balance

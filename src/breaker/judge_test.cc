#include "breaker/judge.h"

#include <gtest/gtest.h>

namespace holdfast::breaker {
namespace {

const Instant kStart{1h};

Window with(const Tally& calls) {
  Window window(10s);
  window.add(calls, kStart);
  return window;
}

Verdict judge(const Settings& settings, const Tally& calls) { return judge(settings, with(calls), 0); }

TEST(Judge, says_nothing_of_too_few_calls) {
  const Settings settings{.minimum_requests = 20};
  EXPECT_EQ(judge(settings, {.calls = 19, .failures = 19, .slow = 19}).opinion, Opinion::none);
  EXPECT_EQ(judge(settings, {.calls = 20}).opinion, Opinion::good);
  EXPECT_EQ(judge(settings, {.calls = 20, .failures = 20}).opinion, Opinion::bad);
  EXPECT_EQ(judge({.minimum_requests = 0}, Tally{}).opinion, Opinion::none);
  EXPECT_EQ(judge({.minimum_requests = 0}, {.calls = 1}).opinion, Opinion::good);
}

TEST(Judge, finds_bad_what_reaches_the_failure_rate) {
  const Settings settings{.failure_percent = 50, .minimum_requests = 20};
  EXPECT_EQ(judge(settings, {.calls = 100, .failures = 49}).opinion, Opinion::good);
  EXPECT_EQ(judge(settings, {.calls = 101, .failures = 50}).opinion, Opinion::good);
  const Verdict verdict = judge(settings, {.calls = 100, .failures = 50});
  EXPECT_EQ(verdict.opinion, Opinion::bad);
  EXPECT_EQ(verdict.why, "50 of 100 calls failed");
}

TEST(Judge, finds_bad_what_reaches_the_rate_of_slow_calls) {
  const Settings settings{.slow_percent = 80, .slow_call = 300ms, .minimum_requests = 20};
  EXPECT_EQ(judge(settings, {.calls = 20, .slow = 15}).opinion, Opinion::good);
  const Verdict verdict = judge(settings, {.calls = 20, .slow = 16});
  EXPECT_EQ(verdict.opinion, Opinion::bad);
  EXPECT_EQ(verdict.why, "16 of 20 calls took longer than 300ms");
}

TEST(Judge, counts_a_hundred_percent_when_all_are_bad) {
  const Settings settings{.failure_percent = 100, .slow_percent = 100, .minimum_requests = 20};
  EXPECT_EQ(judge(settings, {.calls = 40, .failures = 39, .slow = 39}).opinion, Opinion::good);
  EXPECT_EQ(judge(settings, {.calls = 40, .failures = 40}).opinion, Opinion::bad);
}

// Slow calls count before they fail, so a window may hold the failure of a call that has left it.
TEST(Judge, bears_more_failures_than_calls) {
  const Verdict verdict = judge(Settings{.minimum_requests = 20}, {.calls = 20, .failures = 30});
  EXPECT_EQ(verdict.opinion, Opinion::bad);
  EXPECT_EQ(verdict.why, "20 of 20 calls failed");
}

TEST(Judge, believes_the_newest_calls_alone_when_they_leave_no_doubt) {
  const Settings settings{.failure_percent = 50, .slow_call = 300ms, .minimum_requests = 20};
  const auto after_good_ones = [&](const Tally& newest) {
    Window window = with({.calls = 1'000});
    window.add(newest, kStart + 200ms);
    return judge(settings, window, 0);
  };
  EXPECT_EQ(after_good_ones({.calls = 15, .failures = 15}).opinion, Opinion::good);
  EXPECT_EQ(after_good_ones({.calls = 16, .failures = 15}).opinion, Opinion::good);
  const Verdict verdict = after_good_ones({.calls = 16, .failures = 16});
  EXPECT_EQ(verdict.opinion, Opinion::bad);
  EXPECT_EQ(verdict.why, "16 of the newest 16 calls failed");
  EXPECT_EQ(after_good_ones({.calls = 16, .slow = 16}).why, "16 of the newest 16 calls took longer than 300ms");
}

TEST(Judge, does_not_believe_the_newest_calls_where_there_are_few) {
  const Settings settings{.minimum_requests = 50};
  EXPECT_EQ(judge(settings, {.calls = 49, .failures = 49}).opinion, Opinion::none);
}

TEST(Judge, finds_failures_in_a_row_bad_at_once) {
  const Settings settings{.minimum_requests = 20, .consecutive_failures = 5};
  const Window window = with({.calls = 5, .failures = 5});
  EXPECT_EQ(judge(settings, window, 4).opinion, Opinion::none);
  EXPECT_EQ(judge(settings, window, 5).opinion, Opinion::bad);
  EXPECT_EQ(judge(settings, window, 5).why, "5 calls in a row failed");
  EXPECT_EQ(judge({.minimum_requests = 20}, window, 1'000).opinion, Opinion::none) << "they do not matter at 0";
}

TEST(LowerBound, is_that_of_wilson) {
  EXPECT_EQ(lower_bound(0, 0), 0);
  EXPECT_EQ(lower_bound(0, 100), 0);
  EXPECT_EQ(lower_bound(16, 16), 0.5);
  EXPECT_LT(lower_bound(15, 15), 0.5);
  // (0.5 + 8/100 - 4 sqrt(0.25/100 + 4/10000)) / 1.16
  EXPECT_NEAR(lower_bound(50, 100), 0.3143, 0.0001);
  EXPECT_GT(lower_bound(520'000, 1'000'000), 0.5);
}

TEST(LowerBound, rises_with_what_was_seen) {
  for (std::uint64_t of = 1; of < 200; ++of) {
    for (std::uint64_t hits = 1; hits <= of; ++hits) {
      ASSERT_GE(lower_bound(hits, of), lower_bound(hits - 1, of));
      ASSERT_LE(lower_bound(hits, of), static_cast<double>(hits) / static_cast<double>(of));
    }
    ASSERT_GE(lower_bound(of + 1, of + 1), lower_bound(of, of));
  }
}

}  // namespace
}  // namespace holdfast::breaker

#include "balance/retry_throttle.h"

#include <functional>
#include <gtest/gtest.h>
#include <vector>

#include "balance/retry.h"
#include "base/prng.h"

namespace holdfast::balance {
namespace {

constexpr std::uint16_t kStatuses[] = {503};
constexpr RetryRules kRules{.attempts = 3, .timeout = true, .statuses = kStatuses};
constexpr Attempted kGet{.idempotent = true};
constexpr Failure kUnavailable{.stage = Stage::answering, .status = 503};
constexpr Failure kTimeout{.stage = Stage::exchanging, .code = Code::timed_out};
constexpr Failure kRefused{.stage = Stage::connecting, .code = Code::refused};
constexpr Failure kReset{.stage = Stage::exchanging, .code = Code::closed};
constexpr Failure kSilent{.stage = Stage::exchanging, .silent = true};
constexpr Failure kConnectTimeout{.stage = Stage::connecting, .code = Code::timed_out};

Instant at(Duration since_start) { return Instant{} + since_start; }

RetryVerdict judge(const Failure& failure, RetryThrottle& throttle, const Attempted& attempted = kGet) {
  RetryBudget budget;
  return may_retry(kRules, failure, attempted, budget, at(0s), &throttle);
}

RetryThrottle empty() {
  RetryThrottle throttle;
  for (int i = 0; i < 200; ++i) throttle.count_failure();
  return throttle;
}

TEST(RetryThrottle, allows_retries_above_half_of_its_tokens) {
  RetryThrottle throttle;
  for (int i = 0; i < 49; ++i) throttle.count_failure();
  EXPECT_TRUE(throttle.allows());
  throttle.count_failure();
  EXPECT_FALSE(throttle.allows());
  throttle.count_success();
  EXPECT_TRUE(throttle.allows());
}

TEST(RetryThrottle, holds_no_less_than_none_and_no_more_than_a_hundred) {
  RetryThrottle throttle = empty();
  EXPECT_EQ(throttle.validate(), "");
  for (int i = 0; i < 50; ++i) throttle.count_success();
  EXPECT_FALSE(throttle.allows());
  throttle.count_success();
  EXPECT_TRUE(throttle.allows());
  for (int i = 0; i < 1'000; ++i) throttle.count_success();
  EXPECT_EQ(throttle.validate(), "");
  EXPECT_EQ(throttle.describe(), "100 of 100 tokens");
  for (int i = 0; i < 50; ++i) throttle.count_failure();
  EXPECT_EQ(throttle.describe(), "50 of 100 tokens: no retries");
}

TEST(RetryThrottle, bears_one_failure_of_two_for_good) {
  RetryThrottle throttle;
  for (int i = 0; i < 1'000; ++i) {
    throttle.count_failure();
    EXPECT_TRUE(throttle.allows());
    throttle.count_success();
  }
}

TEST(RetryThrottle, stops_retries_of_statuses_and_times_that_passed) {
  for (const Failure& failure : {kUnavailable, kTimeout}) {
    RetryThrottle throttle;
    for (int i = 0; i < 49; ++i) EXPECT_EQ(judge(failure, throttle), RetryVerdict::retry);
    EXPECT_EQ(judge(failure, throttle), RetryVerdict::throttled);
  }
}

TEST(RetryThrottle, never_stops_what_tells_of_a_server_that_is_gone) {
  for (const Failure& failure : {kRefused, kReset, kSilent, kConnectTimeout}) {
    RetryThrottle throttle = empty();
    EXPECT_EQ(judge(failure, throttle), RetryVerdict::retry);
    RetryThrottle full;
    for (int i = 0; i < 200; ++i) judge(failure, full);
    EXPECT_TRUE(full.allows()) << "and it is not counted";
  }
}

TEST(RetryThrottle, counts_what_is_not_retried_for_another_reason) {
  RetryThrottle throttle;
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(judge(kUnavailable, throttle, {.idempotent = true, .retries_used = 3}), RetryVerdict::attempts_used);
  }
  EXPECT_FALSE(throttle.allows());
}

TEST(RetryThrottle, does_not_count_what_the_service_does_not_list) {
  RetryThrottle throttle;
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(judge({.stage = Stage::answering, .status = 500}, throttle), RetryVerdict::not_listed);
  }
  EXPECT_TRUE(throttle.allows());
}

TEST(RetryThrottle, does_not_charge_the_budget_for_what_it_stops) {
  RetryThrottle throttle = empty();
  RetryBudget budget;
  const std::uint64_t before = budget.left(at(0s));
  EXPECT_EQ(may_retry(kRules, kUnavailable, kGet, budget, at(0s), &throttle), RetryVerdict::throttled);
  EXPECT_EQ(budget.left(at(0s)), before);
}

/// Proxies in a row, each of which tries three times more; the last one asks the leaf.
struct Layer {
  RetryBudget budget{};
  RetryThrottle throttle{};
};

/// How often the leaf, which fails so many percent, is asked for each request of a user.
double amplification(std::size_t depth, unsigned percent, bool throttled) {
  Prng prng(5);
  std::vector<Layer> layers(depth);
  std::uint64_t leaf = 0;
  Instant now = at(0s);
  const std::function<bool(std::size_t)> ask = [&](std::size_t depth_now) {
    if (depth_now == layers.size()) {
      ++leaf;
      return prng.below(100) >= percent;
    }
    Layer& layer = layers[depth_now];
    layer.budget.count_request(now);
    for (unsigned tries = 0;; ++tries) {
      if (ask(depth_now + 1)) {
        layer.throttle.count_success();
        return true;
      }
      const Attempted attempted{.idempotent = true, .retries_used = tries};
      RetryThrottle* throttle = throttled ? &layer.throttle : nullptr;
      if (may_retry(kRules, kUnavailable, attempted, layer.budget, now, throttle) != RetryVerdict::retry) return false;
    }
  };
  constexpr int kRequests = 20'000;
  for (int i = 0; i < kRequests; ++i) {
    now += 1ms;
    ask(0);
  }
  return static_cast<double>(leaf) / kRequests;
}

TEST(RetryThrottle, keeps_layers_of_retries_from_multiplying) {
  EXPECT_GT(amplification(3, 100, false), 1.6) << "1.2 ^ 3";
  EXPECT_LT(amplification(3, 100, true), 1.05);
  EXPECT_LT(amplification(3, 75, true), 1.3);
}

TEST(RetryThrottle, leaves_retries_of_few_failures_alone) {
  EXPECT_NEAR(amplification(1, 5, true), amplification(1, 5, false), 0.001);
}

}  // namespace
}  // namespace holdfast::balance

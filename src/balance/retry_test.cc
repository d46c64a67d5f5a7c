#include "balance/retry.h"

#include <gtest/gtest.h>

namespace holdfast::balance {
namespace {

constexpr std::uint16_t kStatuses[] = {502, 503, 504};
constexpr RetryRules kRules{.statuses = kStatuses};
constexpr Attempted kGet{.idempotent = true};
constexpr Attempted kPost{.idempotent = false};
constexpr Failure kRefused{.stage = Stage::connecting, .code = Code::refused};
constexpr Failure kReset{.stage = Stage::exchanging, .code = Code::closed};

Instant at(Duration since_start) { return Instant{} + since_start; }

RetryVerdict judge(const RetryRules& rules, const Failure& failure, const Attempted& attempted) {
  RetryBudget budget;
  return may_retry(rules, failure, attempted, budget, at(0s));
}

TEST(Retry, rfc9110_9_2_2_a_sent_non_idempotent_request_is_never_repeated_whatever_the_rules) {
  const RetryRules everything{
      .attempts = 9, .connect_failure = true, .reset = true, .timeout = true, .statuses = kStatuses};
  for (const Stage stage : {Stage::connecting, Stage::exchanging, Stage::answering}) {
    for (int code = 0; code <= static_cast<int>(Code::internal); ++code) {
      for (const unsigned status : {0U, 502U, 503U, 504U}) {
        const Failure failure{stage, static_cast<Code>(code), Side::upstream, static_cast<std::uint16_t>(status)};
        EXPECT_NE(judge(everything, failure, kPost), RetryVerdict::retry);
      }
    }
  }
}

TEST(Retry, a_request_of_which_nothing_was_sent_goes_elsewhere_whatever_its_method) {
  EXPECT_EQ(judge(kRules, kRefused, {.idempotent = false, .sent = false}), RetryVerdict::retry);
  EXPECT_EQ(judge(kRules, kReset, {.idempotent = false, .sent = false}), RetryVerdict::retry);
}

TEST(Retry, only_what_the_service_lists_is_retried) {
  EXPECT_EQ(judge(kRules, kReset, kGet), RetryVerdict::retry);
  EXPECT_EQ(judge({.reset = false}, kReset, kGet), RetryVerdict::not_listed);
  EXPECT_EQ(judge({.connect_failure = false}, kRefused, {.sent = false}), RetryVerdict::not_listed);
  EXPECT_EQ(judge(kRules, {.stage = Stage::answering, .status = 503}, kGet), RetryVerdict::retry);
  EXPECT_EQ(judge(kRules, {.stage = Stage::answering, .status = 500}, kGet), RetryVerdict::not_listed);
  const Failure slow{.stage = Stage::exchanging, .code = Code::timed_out};
  EXPECT_EQ(judge(kRules, slow, kGet), RetryVerdict::not_listed);
  EXPECT_EQ(judge({.timeout = true}, slow, kGet), RetryVerdict::retry);
  EXPECT_EQ(judge(kRules, {.stage = Stage::exchanging, .code = Code::protocol}, kGet), RetryVerdict::not_listed);
  const Failure silent{.stage = Stage::exchanging, .silent = true};
  EXPECT_EQ(judge(kRules, silent, kGet), RetryVerdict::retry);
  EXPECT_EQ(judge({.silence = false}, silent, kGet), RetryVerdict::not_listed);
  EXPECT_EQ(judge(kRules, silent, kPost), RetryVerdict::sent_not_idempotent);
}

TEST(Retry, a_timeout_while_connecting_is_a_connect_failure) {
  EXPECT_EQ(judge(kRules, {.stage = Stage::connecting, .code = Code::timed_out}, {.sent = false}), RetryVerdict::retry);
}

TEST(Retry, faults_of_others_than_the_upstream_and_our_own_stopping_are_not_retried) {
  for (const Side side : {Side::client, Side::store, Side::local}) {
    EXPECT_EQ(judge(kRules, {.code = Code::refused, .side = side}, kGet), RetryVerdict::not_ours_to_retry);
  }
  EXPECT_EQ(judge(kRules, {.code = Code::stopped}, kGet), RetryVerdict::not_ours_to_retry);
}

TEST(Retry, neither_a_begun_answer_nor_a_streamed_body_can_be_taken_back) {
  EXPECT_EQ(judge(kRules, kReset, {.idempotent = true, .answer_started = true}), RetryVerdict::answer_started);
  EXPECT_EQ(judge(kRules, kReset, {.idempotent = true, .replayable = false}), RetryVerdict::body_gone);
}

TEST(Retry, attempts_are_counted_at_n_minus_one_n_and_n_plus_one) {
  EXPECT_EQ(judge(kRules, kReset, {.idempotent = true, .retries_used = 1}), RetryVerdict::retry);
  EXPECT_EQ(judge(kRules, kReset, {.idempotent = true, .retries_used = 2}), RetryVerdict::attempts_used);
  EXPECT_EQ(judge(kRules, kReset, {.idempotent = true, .retries_used = 3}), RetryVerdict::attempts_used);
  EXPECT_EQ(judge({.attempts = 0}, kReset, kGet), RetryVerdict::attempts_used);
}

TEST(Retry, charges_the_budget_only_for_what_it_allows) {
  RetryBudget budget(20);
  const std::uint64_t before = budget.left(at(0s));
  EXPECT_EQ(may_retry(kRules, kReset, kPost, budget, at(0s)), RetryVerdict::sent_not_idempotent);
  EXPECT_EQ(budget.left(at(0s)), before);
  EXPECT_EQ(may_retry(kRules, kReset, kGet, budget, at(0s)), RetryVerdict::retry);
  EXPECT_EQ(budget.left(at(0s)), before - 1);
  while (budget.charge(at(0s))) continue;
  EXPECT_EQ(may_retry(kRules, kReset, kGet, budget, at(0s)), RetryVerdict::budget_empty);
}

TEST(RetryBudget, allows_its_share_plus_the_floor_and_no_more) {
  RetryBudget budget(20);
  for (int i = 0; i < 1000; ++i) budget.count_request(at(i * 1ms));
  for (std::uint32_t i = 0; i < 200 + kRetryFloor; ++i) ASSERT_TRUE(budget.charge(at(1s))) << i;
  EXPECT_FALSE(budget.charge(at(1s)));
  EXPECT_EQ(budget.validate(), "");
}

TEST(RetryBudget, when_everything_fails_retries_stay_at_a_fifth_and_never_at_nothing) {
  RetryBudget budget(20);
  int retries = 0;
  for (int i = 0; i < 60'000; ++i) {
    budget.count_request(at(i * 1ms));
    for (int attempt = 0; attempt < 2; ++attempt) retries += budget.charge(at(i * 1ms)) ? 1 : 0;
    ASSERT_EQ(budget.validate(), "");
  }
  EXPECT_NEAR(retries, 12'000, 100);
}

TEST(RetryBudget, forgets_what_left_the_window) {
  RetryBudget budget(20);
  for (int i = 0; i < 1000; ++i) budget.count_request(at(0s));
  while (budget.charge(at(0s))) continue;
  EXPECT_EQ(budget.left(at(9s)), 0U);
  EXPECT_EQ(budget.left(at(10s)), kRetryFloor);
  EXPECT_EQ(budget.left(at(1000s)), kRetryFloor);
}

}  // namespace
}  // namespace holdfast::balance

#include "balance/retry.h"

#include <algorithm>

namespace holdfast::balance {

void RetryBudget::refill(Instant now) {
  if (refilled_ == Instant{}) refilled_ = now;
  const double seconds = std::chrono::duration<double>(now - refilled_).count();
  refilled_ = now;
  // What was earned within one window is kept at most: a night of traffic does not pay for a morning's storm.
  const double cap = std::chrono::duration<double>(kWindow).count() * kFloorPerSecond;
  tokens_ = std::min(std::max(cap, tokens_), tokens_ + seconds * kFloorPerSecond);
}

void RetryBudget::on_request(Instant now) {
  refill(now);
  constexpr double kTokensMax = 100'000;
  tokens_ = std::min(kTokensMax, tokens_ + share_);
}

bool RetryBudget::spend(Instant now) {
  refill(now);
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

bool may_retry(const RetryQuestion& question, RetryBudget& budget, Instant now) {
  if (question.sent && !question.idempotent) return false;
  if (!question.listed || question.deadline_passed || question.retries_done >= question.retries_max) return false;
  return budget.spend(now);
}

}  // namespace holdfast::balance

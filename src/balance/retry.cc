#include "balance/retry.h"

#include <algorithm>

namespace holdfast::balance {
namespace {

/// Whether the service's `retries.on` names what happened. A status is an endpoint's own answer; what we would answer
/// for a try that broke (502, 504) is named by `reset` and `timeout`.
bool is_listed(const RetryRules& rules, const Failure& failure) {
  if (failure.status != 0) return std::ranges::find(rules.statuses, failure.status) != rules.statuses.end();
  if (failure.silent) return rules.silence;
  if (failure.stage == Stage::connecting) return rules.connect_failure;
  switch (failure.code) {
    case Code::closed:
    case Code::refused: return rules.reset;
    case Code::timed_out: return rules.timeout;
    default: return false;
  }
}

}  // namespace

bool tells_of_load(const Failure& failure) {
  if (failure.stage == Stage::connecting || failure.silent) return false;
  return failure.status != 0 || failure.code == Code::timed_out;
}

RetryVerdict may_retry(const RetryRules& rules, const Failure& failure, const Attempted& attempted, RetryBudget& budget,
                       Instant now, RetryThrottle* throttle) {
  if (failure.side != Side::upstream || failure.code == Code::stopped) return RetryVerdict::not_ours_to_retry;
  const bool of_load = throttle != nullptr && tells_of_load(failure) && is_listed(rules, failure);
  if (of_load) throttle->count_failure();
  if (attempted.answer_started) return RetryVerdict::answer_started;
  if (attempted.sent && !attempted.idempotent) return RetryVerdict::sent_not_idempotent;
  if (attempted.sent && !attempted.replayable) return RetryVerdict::body_gone;
  if (!is_listed(rules, failure)) return RetryVerdict::not_listed;
  if (attempted.retries_used >= rules.attempts) return RetryVerdict::attempts_used;
  if (of_load && !throttle->allows()) return RetryVerdict::throttled;
  if (!budget.charge(now)) return RetryVerdict::budget_empty;
  return RetryVerdict::retry;
}

std::string_view to_string(RetryVerdict verdict) {
  switch (verdict) {
    case RetryVerdict::retry: return "retry";
    case RetryVerdict::not_listed: return "not_listed";
    case RetryVerdict::not_ours_to_retry: return "not_ours_to_retry";
    case RetryVerdict::answer_started: return "answer_started";
    case RetryVerdict::sent_not_idempotent: return "sent_not_idempotent";
    case RetryVerdict::body_gone: return "body_gone";
    case RetryVerdict::attempts_used: return "attempts_used";
    case RetryVerdict::budget_empty: return "budget_empty";
    case RetryVerdict::throttled: return "throttled";
  }
  return "unknown";
}

}  // namespace holdfast::balance

// may_retry: the one place that decides whether a failed try may be tried again elsewhere, and says why not.
//
// The rule above all others: a request of a non-idempotent method of which anything was sent is never sent again
// (RFC 9110, 9.2.2). The rest is the service's `retries:` section and its budget.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "balance/retry_budget.h"
#include "balance/retry_throttle.h"
#include "base/result.h"

namespace holdfast::balance {

/// How far the try had come.
enum class Stage : std::uint8_t {
  connecting,  ///< no connection yet: nothing can have been sent
  exchanging,  ///< connected, before the first byte of the answer
  answering,   ///< the answer's head has arrived (a status can be judged), or the client has seen some of it
};

/// A try that did not go well.
struct Failure {
  Stage stage = Stage::connecting;
  Code code = Code::internal;  ///< when no answer came
  Side side = Side::upstream;
  std::uint16_t status = 0;  ///< when an answer came: its status; else 0
  bool silent = false;       ///< none came, to nobody (health/silence.h); the time for it has not passed
};

/// What of the request matters to a second try.
struct Attempted {
  bool idempotent = false;      ///< the method (RFC 9110, 9.2.2)
  bool sent = true;             ///< any byte of it was handed to the kernel
  bool replayable = true;       ///< all of its body is still at hand
  bool answer_started = false;  ///< the client has seen some of an answer
  unsigned retries_used = 0;
};

/// `retries:` of the service, by the configuration's names.
struct RetryRules {
  unsigned attempts = 2;  ///< after the first try; 0: never
  bool connect_failure = true;
  bool reset = true;
  bool silence = true;
  bool timeout = false;
  std::span<const std::uint16_t> statuses{};
};

enum class RetryVerdict : std::uint8_t {
  retry,
  not_listed,           ///< the service does not retry on this
  not_ours_to_retry,    ///< the client, the store or we are at fault, or we are stopping
  answer_started,       ///< the client has seen part of an answer
  sent_not_idempotent,  ///< it may have been carried out
  body_gone,            ///< the body was streamed and is not kept
  attempts_used,        ///< as often as the service allows
  budget_empty,         ///< enough retries are under way for this service
  throttled,            ///< much of what comes back fails for load, and a retry is more of it
};

std::string_view to_string(RetryVerdict verdict);

/// A failure that tells of load: a status, or a time that has passed. Others tell of a server that is gone, and another
/// one may be well.
bool tells_of_load(const Failure& failure);

/// Judges, and on `retry` charges the budget: a retry is paid for when it is scheduled, not when it is done. With a
/// `throttle`, a listed failure that tells of load is counted there, whatever the verdict; successes are not ours to
/// see.
RetryVerdict may_retry(const RetryRules& rules, const Failure& failure, const Attempted& attempted, RetryBudget& budget,
                       Instant now, RetryThrottle* throttle = nullptr);

}  // namespace holdfast::balance

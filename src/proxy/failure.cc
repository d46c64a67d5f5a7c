// Exchange, fourth part: what a failure means. Whether another endpoint may try, what balancer and health hear, what
// the client is told.
#include "balance/retry.h"
#include "io/loop.h"
#include "proxy/exchange.h"

namespace holdfast::proxy {

bool Exchange::may_try_again(Failure failure) {
  const config::Retries& retries = service_->config().retries;
  const balance::RetryRules rules{.attempts = retries.attempts,
                                  .connect_failure = retries.on.connect_failure,
                                  .reset = retries.on.reset,
                                  .silence = retries.on.silence,
                                  .timeout = retries.on.timeout,
                                  .statuses = retries.on.statuses};
  const balance::Attempted attempted{.idempotent = http::is_idempotent(heads_->request.method),
                                     .sent = sent_,
                                     .replayable = !streamed_,
                                     .answer_started = answer_begun_,
                                     .retries_used = static_cast<unsigned>(tries_ - 1)};
  balance::Failure what;
  what.stage = balance::Stage::exchanging;
  switch (failure) {
    case Failure::connect:
      what.stage = balance::Stage::connecting;
      what.code = Code::refused;
      break;
    case Failure::breaker: return false;
    case Failure::silence: what.silent = true; break;
    case Failure::timeout: what.code = Code::timed_out; break;
    case Failure::protocol: what.code = Code::protocol; break;
    case Failure::status:
      what.stage = balance::Stage::answering;
      what.status = heads_->response.status;
      break;
    case Failure::client: what.side = Side::client; [[fallthrough]];
    case Failure::reset:
    case Failure::none: what.code = Code::closed; break;
  }
  const Instant now = worker_.loop().now();
  if (now >= deadline_ || client_gone()) return false;
  return balance::may_retry(rules, what, attempted, service_->retry_budget, now, &service_->retry_throttle) ==
         balance::RetryVerdict::retry;
}

// What the breaker hears of a request that failed in the end, whatever was tried. A caller that gave it less time than
// the service has by itself says nothing about the service.
breaker::Outcome Exchange::outcome_of(Failure failure) const {
  const bool cut_short = callers_deadline_ <= worker_.loop().now();
  if (client_gone()) return breaker::Outcome::cancelled;
  switch (failure) {
    case Failure::none:
    case Failure::breaker:  // it has counted as slow
    case Failure::client: return breaker::Outcome::cancelled;
    case Failure::silence:
    case Failure::timeout: return cut_short ? breaker::Outcome::cancelled : breaker::Outcome::unreachable;
    case Failure::connect:
    case Failure::reset: return breaker::Outcome::unreachable;
    case Failure::protocol:
    case Failure::status: return breaker::Outcome::failure;
  }
  return breaker::Outcome::cancelled;
}

bool Exchange::watches_for_silence() const {
  return service_->config().retries.on.silence && !uploading() && answered_ == Instant{} &&
         service_->endpoints().size() > 1 && http::is_idempotent(heads_->request.method);
}

// The time for an answer has not passed, but the endpoint answers nobody. It hears of that, and the request goes
// elsewhere if it may; else it goes on waiting: for all we know, the answer may still come.
bool Exchange::leave_silent_endpoint() {
  if (!watches_for_silence() || !service_->is_silent(endpoint_, attempt_began_, worker_.loop().now())) return false;
  if (!silence_reported_) report(Failure::silence);
  silence_reported_ = true;
  const std::uint32_t before = endpoint_;
  if (!may_try_again(Failure::silence) || !pick()) return false;
  service_->release(before);
  if (endpoint_ == before) return false;
  connection_.reset();
  service_->retries.add();
  return true;
}

// Our own fault: no endpoint is blamed, and nothing is tried again.
Exchange::Failure Exchange::ran_out_of_memory() {
  worker_.refused_by_memory.add();
  short_of_ = "out-of-memory";
  return Failure::client;
}

Exchange::Failure Exchange::ran_out_of_files() {
  worker_.refused_by_files.add();
  short_of_ = "out-of-files";
  return Failure::client;
}

// Tells balancer and health how the attempt went.
void Exchange::report(Failure failure) {
  std::uint32_t& unanswered = service_->endpoint(endpoint_).unanswered;
  if (answered_ == Instant{} && failure != Failure::silence && unanswered > 0) --unanswered;  // it waits no more
  if (failure == Failure::client || client_gone()) return;
  // A probe is all that an endpoint is judged by while the breaker is open: one that hangs must not stay in its way.
  if (failure == Failure::breaker && !(admission_.probe && attempt_is_slow())) return;
  upstream::LocalEndpoint& local = service_->endpoint(endpoint_);
  const Instant now = worker_.loop().now();
  // A caller that gave it less time than the service has by itself says nothing about an endpoint either.
  if ((failure == Failure::timeout || failure == Failure::silence) && callers_deadline_ <= now) return;
  const bool failed = failure != Failure::none;
  if (!failed) service_->retry_throttle.count_success();
  service_->observe(endpoint_, now - attempt_began_, failed, now);
  if (failed) local.failures.add();
  if (failure == Failure::connect) {
    local.connect_failures.add();
    local.idle.clear();  // whoever does not listen any more has no use for these either
    worker_.health().report_connect_failure(service_->shared_service(), endpoint_);
    return;
  }
  const std::uint32_t in_a_row = balance::count_outcome(local.endpoint->load, failed);
  const auto& outlier = service_->config().outlier_ejection;
  if (outlier && in_a_row >= outlier->consecutive_failures) {
    worker_.health().report_failures(service_->shared_service(), endpoint_, in_a_row);
  }
}

io::Task<> Exchange::answer_failure(Failure failure) {
  switch (failure) {
    case Failure::none: co_await give_up(503, "no-healthy-endpoint"); break;
    case Failure::connect: co_await give_up(503, "connect-failed"); break;
    case Failure::silence:
    case Failure::timeout: co_await give_up(504, "upstream-timeout"); break;
    case Failure::breaker: co_await give_up(503, "breaker-open"); break;
    case Failure::protocol: co_await give_up(502, "upstream-protocol"); break;
    case Failure::reset: co_await give_up(502, "upstream-reset"); break;
    case Failure::status: co_await give_up(502, "upstream-error"); break;
    case Failure::client:
      keep_alive_ = false;
      if (short_of_ != nullptr) {
        co_await answer_error(503, short_of_);
        break;
      }
      if (upload_end() == RelayEnd::complete) reason_ = why_cut_short(RelayEnd::receiver_gone);
      if (upload_end() == RelayEnd::sender_gone && client_.descriptor().peer_hung_up()) {
        co_await answer_error(400, "bad-request");  // RFC 9112 8: it ended before its body did
      } else if (upload_end() == RelayEnd::sender_gone) {
        co_await answer_error(408, "request-timeout");
      } else if (upload_end() == RelayEnd::sender_slow) {
        session_.front().slow_clients.add();
        co_await answer_error(408, "request-timeout");
      }
      if (upload_end() == RelayEnd::too_large) co_await answer_error(413, "request-too-large");
      if (upload_end() == RelayEnd::sender_broken) co_await answer_error(400, "bad-request");
      break;
  }
}

}  // namespace holdfast::proxy

// Exchange, between routing and forwarding: whether the breaker lets the request pass, and what it hears of the
// outcome.
//
// A breaker counts requests as the caller sees them: retries included, from here to the head of the answer. A failure
// that another endpoint made good is none.
#include <algorithm>
#include <charconv>
#include <utility>

#include "io/loop.h"
#include "proxy/exchange.h"

namespace holdfast::proxy {

// Services behind us say how much time their own callers have left. Others could only hurt themselves with it, but are
// not believed either: a listener for the world passes nothing on of what it is told.
bool Exchange::hear_callers_deadline() {
  callers_deadline_ = kNever;
  if (!listener_->config.by_service_name && !session_.trusted_peer()) return true;
  const http::Field* const field = heads_->request.find(http::Name::x_holdfast_timeout_ms);
  if (field == nullptr) return true;
  std::uint32_t left_ms = 0;  // 49 days
  const char* const end = field->value.data() + field->value.size();
  const auto [stopped, error] = std::from_chars(field->value.data(), end, left_ms);
  if (error != std::errc{} || stopped != end) return true;
  callers_deadline_ = started_ + left_ms * Duration(1ms);
  return left_ms != 0;
}

std::string_view Exchange::caller() const {
  const config::Listener& listener = listener_->config;
  if (!listener.caller.empty() || !listener.by_service_name) return listener.caller;
  const http::Field* const field = heads_->request.find(http::Name::x_holdfast_caller);
  return field == nullptr ? std::string_view() : field->value;
}

// What is told to a service about the time it has: only where it is of use, to those that call others.
std::optional<std::uint64_t> Exchange::time_left_ms() const {
  if (callers_deadline_ == kNever && service_->config().calls.empty()) return std::nullopt;
  const Duration left = answer_due() - worker_.loop().now();
  return static_cast<std::uint64_t>(std::max<Duration::rep>(left / 1ms, 1));
}

// The breaker first: what it refuses takes nobody's place.
const char* Exchange::admit() {
  called_ = {};
  if (const char* const refused = ask_breaker()) return refused;
  balance::ConcurrencyLimit* const limit = service_->concurrency();
  if (limit == nullptr) return nullptr;
  counted_ = limit->try_enter();
  if (counted_) return nullptr;
  service_->refused_by_concurrency.add();
  return "concurrency-limit";
}

const char* Exchange::ask_breaker() {
  circuit_ = snapshot_->shared->guards.find(service_index_, caller());
  if (circuit_ == nullptr) return nullptr;
  if (breaker_.empty()) breaker_ = circuit_->name();
  const bool harmless = http::is_safe(heads_->request.method) && request_body_.done();
  admission_ = circuit_->gate().admit(harmless, worker_.prng());
  breaker::Meter& meter = circuit_->meter(worker_.number());
  if (admission_.passed) return nullptr;
  meter.count_refusal();
  return "breaker-open";
}

// The callee's time begins when it has the request: neither that in our queue is its own, nor that which a client takes
// to bring the body.
void Exchange::begin_call() {
  if (called_ != Instant{} || !request_complete()) return;
  called_ = worker_.loop().now();
  if (circuit_ != nullptr) circuit_->meter(worker_.number()).begin(call_, admission_, called_);
}

// When the breaker opens, who waits already need not wait for a time-out to get what everybody else gets at once: all
// the patience in front of a callee that hangs is given back together. Only where something better than an error can be
// had, and nothing was to be done: the answer may still come. A probe that is slow has failed: nothing is learned from
// waiting on.
bool Exchange::may_stop_waiting() const {
  return circuit_ != nullptr && call_.begun() && service_->config().fallback && http::is_safe(heads_->request.method);
}

// Not before the call is slow; then now and then, each time an eighth later than it is, so that many that wait long
// cost little.
Deadline Exchange::look_at_breaker() const {
  constexpr Duration kLook = 25ms;
  const Instant now = worker_.loop().now();
  const Duration slow_call = circuit_->meter(worker_.number()).slow_call();
  const Duration waited = now - called_;
  if (waited < slow_call) return slow_call < deadline_ - called_ ? called_ + slow_call : deadline_;
  return now + std::max<Duration>(kLook, waited / 8);
}

bool Exchange::waits_in_vain() const {
  if (!may_stop_waiting() || circuit_->gate().allowed() != 0) return false;
  const Duration waited = worker_.loop().now() - called_;
  return waited >= circuit_->meter(worker_.number()).slow_call() && choose_instead();
}

// This endpoint itself has had as long as a call may take; another may have had it before.
bool Exchange::attempt_is_slow() const {
  return worker_.loop().now() - attempt_began_ >= circuit_->meter(worker_.number()).slow_call();
}

// Told once; what comes later says nothing.
void Exchange::end_call(breaker::Outcome outcome) {
  const Instant now = worker_.loop().now();
  if (std::exchange(counted_, false)) leave_place(outcome, now);
  if (circuit_ == nullptr) return;
  breaker::Meter& meter = circuit_->meter(worker_.number());
  if (!call_.begun() && admission_.passed) meter.begin(call_, admission_, now);
  if (call_.begun()) meter.end(call_, outcome, now);
  circuit_ = nullptr;
}

// No answer in time, or the service's own 503, says that it was too much; other failures say nothing about that.
void Exchange::leave_place(breaker::Outcome outcome, Instant now) {
  balance::ConcurrencyLimit& limit = *service_->concurrency();
  if (called_ == Instant{}) return limit.leave_unmeasured();
  const Duration took = now - called_;
  switch (outcome) {
    case breaker::Outcome::success: limit.leave(took, false); break;
    case breaker::Outcome::unreachable:
      if (failed_ == Failure::timeout) return limit.leave(took, true);
      limit.leave_unmeasured();
      break;
    case breaker::Outcome::failure:
      if (failed_ != Failure::protocol && heads_->response.status == 503) return limit.leave(took, true);
      limit.leave_unmeasured();
      break;
    case breaker::Outcome::cancelled: limit.leave_unmeasured(); break;
  }
}

}  // namespace holdfast::proxy

#include "breaker/meter.h"

#include "base/check.h"

namespace holdfast::breaker {

Call::~Call() {
  if (meter_ != nullptr) meter_->cancel(*this);
}

Meter::~Meter() { check(in_flight_.get() == 0, "no call outlives its meter"); }

void Meter::begin(Call& call, const Admission& admission, Instant now) {
  check(!call.begun(), "a call begins once");
  look_for_slow(now);
  call.meter_ = this;
  call.began_ = now;
  call.generation_ = admission.generation;
  call.probe_ = admission.probe;
  call.slow_ = false;
  list(call);
  in_flight_.add();
}

void Meter::end(Call& call, Outcome outcome, Instant now) {
  check(call.meter_ == this, "a call ends where it began");
  look_for_slow(now);
  count_end(call, outcome);
  let_go(call);
}

void Meter::cancel(Call& call) {
  count_end(call, Outcome::cancelled);
  let_go(call);
}

void Meter::count_end(const Call& call, Outcome outcome) {
  if (call.generation_ != gate_.generation()) return;
  if (outcome == Outcome::cancelled) {
    if (call.probe_ && !call.slow_) gate_.probe_returned(call.generation_);
    return;
  }
  if (!call.slow_) calls_.add();
  if (outcome != Outcome::success) failures_.add();
  if (outcome == Outcome::unreachable) unreachable_.add();
  if (call.probe_ && !call.slow_) gate_.probe_ended(call.generation_, outcome == Outcome::success);
}

void Meter::look_for_slow(Instant now) {
  if (oldest_ == nullptr) return;
  const Duration slow = slow_call();
  while (oldest_ != nullptr && now - oldest_->began_ >= slow) {
    Call& call = *oldest_;
    unlist(call);
    if (call.generation_ == gate_.generation()) count_slow(call);
  }
}

void Meter::count_slow(Call& call) {
  call.slow_ = true;
  calls_.add();
  slow_.add();
  if (call.probe_) gate_.probe_ended(call.generation_, false);
}

void Meter::list(Call& call) {
  call.listed_ = true;
  call.older_ = youngest_;
  call.younger_ = nullptr;
  (youngest_ != nullptr ? youngest_->younger_ : oldest_) = &call;
  youngest_ = &call;
}

void Meter::unlist(Call& call) {
  call.listed_ = false;
  (call.older_ != nullptr ? call.older_->younger_ : oldest_) = call.younger_;
  (call.younger_ != nullptr ? call.younger_->older_ : youngest_) = call.older_;
}

void Meter::let_go(Call& call) {
  if (call.listed_) unlist(call);
  call.meter_ = nullptr;
  in_flight_.subtract();
}

Tally Meter::tally() const {
  return {.calls = calls_.get(),
          .failures = failures_.get(),
          .unreachable = unreachable_.get(),
          .slow = slow_.get(),
          .refused = refused_.get()};
}

}  // namespace holdfast::breaker

// The own standing and what shows. What others hear of it: edge_shared.cc.
#include "breaker/edge.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace holdfast::breaker {
namespace {

/// When nothing is due.
constexpr Duration kLookAgain = 1s;
/// For so long an override whose time is up stays in force where the store can be asked, so that all see it go at once.
constexpr Duration kExpiryGrace = 5s;
/// When the store is lost, by chance up to this much more, so that proxies do not all probe at once.
constexpr Duration kTakeOverScatter = 500ms;
/// So long a probe waits for a call that may fail without harm. If only others come, they must do: what is not probed
/// stays open.
constexpr Duration kSafePatience = 500ms;
/// Nobody takes the power to probe who has no calls to probe with: somebody wanted to call within this time.
constexpr Duration kDemandMemory = 2s;
/// No state follows from another without time or calls more often than this.
constexpr int kStepsMax = 4;

Duration by_chance(Duration most, Prng& prng) {
  return Duration(static_cast<Duration::rep>(prng.below(static_cast<std::uint64_t>(most.count()))));
}

void happened(Plan& plan, std::string what, std::string why) {
  plan.happened = Plan::Happened{std::move(what), std::move(why)};
}

}  // namespace

Edge::Edge(std::string name, const Settings& settings, Instant now, std::uint64_t seed)
    : name_(std::move(name)), settings_(settings), prng_(seed), window_(settings.window) {
  own_.since = now;
}

// What comes in.

void Edge::set_settings(const Settings& settings, Instant now) {
  const bool used_shared = uses_shared();
  const Settings before = std::exchange(settings_, settings);
  if (before.window != settings.window) window_.set_length(settings.window);
  if (before.slow_call != settings.slow_call) window_.clear();
  if (before.mode != settings.mode) {
    rest(now);
  } else if (used_shared && !uses_shared()) {
    take_over(now);
  }
}

void Edge::set_override(std::optional<Override> override) {
  if (override == override_) return;
  override_ = std::move(override);
  override_retired_ = false;
}

void Edge::set_in_touch(bool in_touch, Instant now) {
  if (uses_shared() && !in_touch) take_over(now);
  in_touch_ = in_touch;
  if (in_touch) return;
  somebody_probes_ = false;
  we_probe_ = false;
}

void Edge::set_shared(std::optional<Standing> shared, Instant /*now*/) { shared_ = std::move(shared); }

void Edge::set_prober(bool somebody, bool we) {
  somebody_probes_ = somebody || we;
  we_probe_ = we;
}

void Edge::observe(const Tally& calls, const Probes& probes, Instant now) {
  window_.add(calls, now);
  if (calls.refused > 0) refused_at_ = now;
  // A slow call has counted when it became slow, before anybody knew how it would end: only a quick one ends the row.
  if (calls.calls > calls.failures + calls.slow) {
    failures_in_a_row_ = 0;
  } else {
    failures_in_a_row_ += static_cast<unsigned>(calls.failures);
  }
  run_.saw(probes, now);
}

// What follows.

Plan Edge::decide(const Self& self, Instant now) {
  Plan plan;
  plan.look_again = now + kLookAgain;
  window_.advance(now);
  heed_override(now);
  show(plan, now);
  Verdict verdict = judge(settings_, window_, failures_in_a_row_);
  if (rule() == Rule::own) {
    for (int i = 0; i < kStepsMax && step_own(plan, verdict, now); ++i) {
      show(plan, now);
      verdict = judge(settings_, window_, failures_in_a_row_);
    }
  }
  plan.vote = vote(self, verdict, now);
  plan.proposal = propose(self, verdict, plan, now);
  describe_standing(verdict, plan, now);
  return plan;
}

Edge::Rule Edge::rule() const {
  if (override_in_force_) return Rule::override;
  if (settings_.mode == Mode::off) return Rule::off;
  if (uses_shared() && shared_ && shared_->state != State::closed && !is_overtaken()) return Rule::shared;
  return Rule::own;
}

/// The store was lost meanwhile, and what stands in it is older than what we have learned.
bool Edge::is_overtaken() const { return shared_ && taken_over_ == shared_->epoch; }

bool Edge::is_retired(Instant now) const {
  if (override_retired_) return true;
  if (!override_->until || now < *override_->until) return false;
  return !in_touch_ || now - *override_->until >= kExpiryGrace;
}

void Edge::heed_override(Instant now) {
  const bool was_in_force = override_in_force_;
  if (override_) override_retired_ = is_retired(now);
  override_in_force_ = override_ && !override_retired_;
  if (override_in_force_ && !was_in_force) override_since_ = now;
  if (!was_in_force || override_in_force_ || rule() != Rule::own) return;
  // What was held open is not known to be well: it is probed first.
  if (shown_.state != State::open || settings_.mode != Mode::enforce) return;
  own_ = open_to_be_probed(own_, "no longer held open", now);
}

/// The own standing has no part in what happens: it begins anew.
void Edge::rest(Instant now) {
  evidence_.reset();
  taken_over_.reset();
  if (own_.state == State::closed && own_.trips == 0) return;
  own_ = Standing{.epoch = own_.epoch + 1, .since = now, .total = own_.total, .flaps = own_.flaps};
}

/// What was shared goes on as our own from where it stands.
void Edge::take_over(Instant now) {
  if (!shared_ || shared_->state == State::closed || is_overtaken()) return;
  taken_over_ = shared_->epoch;
  const std::uint64_t epoch = own_.epoch + 1;
  own_ = *shared_;
  own_.epoch = epoch;
  evidence_.reset();
  if (own_.state == State::half_open) {
    own_.state = State::open;
    own_.since = now;
    own_.open_for = Duration::zero();
  }
  if (own_.state == State::open) own_.open_for += by_chance(kTakeOverScatter, prng_);
}

void Edge::show(Plan& plan, Instant now) {
  const Rule ruling = rule();
  Shown next{.rule = ruling};
  switch (ruling) {
    case Rule::own:
      next.state = own_.state;
      next.own_epoch = own_.epoch;
      if (shares()) next.shared_epoch = shared_epoch();
      break;
    case Rule::shared:
      next.state = shared_->state;
      next.shared_epoch = shared_->epoch;
      next.probing = shared_->state == State::half_open && we_probe_;
      break;
    case Rule::override: next.state = override_->state; break;
    case Rule::off: break;
  }
  if (ruling != Rule::own) rest(now);
  if (next == shown_) return;
  if (ruling == Rule::own && shown_.rule == Rule::shared && own_.state == State::closed && shared_) {
    own_.since = shared_->since;
    own_.reason = shared_->reason;
  }
  const Shown before = std::exchange(shown_, next);
  plan.new_generation = true;
  window_.clear();
  failures_in_a_row_ = 0;
  begin_run(before, now);
}

/// Each generation of the gate may be a run of probes. One that ended without a verdict is not lost: where calls are
/// rare, no run is long enough to see as many as are needed. One at least is always seen anew.
void Edge::begin_run(const Shown& before, Instant now) {
  const std::uint64_t total = shared_ ? shared_->total : 0;
  if (carried_.total != total) {
    carried_ = Carried{.total = total};
  } else if (before.probing) {
    carried_.well = run_.failed() > 0 ? 0 : run_.well();
  }
  const unsigned most = std::max(settings_.probes, 1U) - 1;
  run_.begin(shown_.probing ? std::min(carried_.well, most) : 0, now);
}

bool Edge::step_own(Plan& plan, const Verdict& verdict, Instant now) {
  switch (own_.state) {
    case State::closed: return verdict.opinion == Opinion::bad && trip_own(plan, verdict.why, now);
    case State::open:
      if (!may_probe(own_, now)) {
        plan.look_again = std::min(plan.look_again, own_.since + own_.open_for);
        return false;
      }
      own_ = begin_probing(own_, own_.reason, now);
      if (settings_.mode == Mode::enforce) happened(plan, "half-opened", "it was open for long enough");
      return true;
    case State::half_open: return step_half_open(plan, verdict, now);
    case State::ramp:
      if (verdict.opinion == Opinion::bad) return trip_own(plan, verdict.why, now);
      if (ramp_has_ended(settings_, own_, now)) return close_own(plan, "the ramp is over", now);
      plan.look_again = std::min(plan.look_again, next_ramp_step(settings_, own_, now));
      return false;
  }
  return false;
}

bool Edge::step_half_open(Plan& plan, const Verdict& verdict, Instant now) {
  if (settings_.mode == Mode::observe) {
    if (verdict.opinion == Opinion::bad) return trip_own(plan, verdict.why, now);
    if (verdict.opinion == Opinion::good) return close_own(plan, "calls go well", now);
    return false;
  }
  ProbeRun::Step step = step_run(plan, is_flapping(own_, now), now);
  switch (step.result) {
    case ProbeRun::Result::going: return false;
    case ProbeRun::Result::failed: return trip_own(plan, std::move(step.why), now);
    case ProbeRun::Result::well: break;
  }
  own_ = begin_ramp(own_, std::move(step.why), now);
  evidence_.reset();
  happened(plan, "ramps up", own_.reason);
  return true;
}

ProbeRun::Step Edge::step_run(Plan& plan, bool flapping, Instant now) {
  ProbeRun::Step step = run_.step(settings_, flapping, now);
  plan.offer_probes = step.offer;
  plan.look_again = std::min(plan.look_again, step.look_again);
  if (step.result != ProbeRun::Result::going || !run_.is_waiting() || !is_wanted(now)) return step;
  const Instant patience_ends = run_.waiting_since() + kSafePatience;
  plan.any_probe = now >= patience_ends;
  if (!plan.any_probe) plan.look_again = std::min(plan.look_again, patience_ends);
  return step;
}

bool Edge::is_wanted(Instant now) const { return refused_at_ && now - *refused_at_ <= kDemandMemory; }

bool Edge::trip_own(Plan& plan, std::string why, Instant now) {
  if (own_.state != State::half_open) evidence_ = Evidence{why, window_.sum(), shared_epoch(), now};
  if (evidence_) evidence_->seen = now;
  own_ = trip(settings_, own_, std::move(why), now, prng_);
  plan.has_tripped = true;
  happened(plan, settings_.mode == Mode::enforce ? "opened" : "would open", own_.reason);
  return true;
}

bool Edge::close_own(Plan& plan, std::string why, Instant now) {
  own_ = close(own_, std::move(why), now);
  evidence_.reset();
  happened(plan, settings_.mode == Mode::enforce ? "closed" : "would close", own_.reason);
  return true;
}

void Edge::describe_standing(const Verdict& verdict, Plan& plan, Instant now) const {
  plan.epoch = shared_epoch();
  plan.state = shown_.state;
  if (shown_.rule == Rule::override) {
    plan.forced = true;
    plan.allowed_permille = override_->state == State::open ? 0 : Gate::kAll;
    plan.reason = std::string(to_string(override_->state)) + " by " + override_->actor + ": " + override_->reason;
    plan.since = override_since_;
    return;
  }
  if (shown_.rule == Rule::off) {
    plan.reason = "switched off";
    plan.since = own_.since;
    return;
  }
  plan.shared = shown_.rule == Rule::shared;
  const Standing& standing = plan.shared ? *shared_ : own_;
  if (settings_.mode == Mode::enforce) plan.allowed_permille = allowed_permille(settings_, standing, now);
  // Others do not see it, or not yet; our own calls fail all the same.
  const bool fails_for_us = standing.state == State::ramp && verdict.opinion == Opinion::bad;
  if (plan.shared && fails_for_us) plan.allowed_permille = 0;
  plan.reason = standing.reason;
  plan.since = standing.since;
  plan.trips = standing.trips;
}

std::string Edge::validate() const {
  if (std::string broken = window_.validate(); !broken.empty()) return broken;
  if (std::string broken = run_.validate(); !broken.empty()) return broken;
  if (!std::ranges::is_sorted(own_.flaps, std::greater<>())) return "the newest flap comes first";
  if (own_.open_for < Duration::zero()) return "a breaker is not open for less than no time";
  if (shown_.rule != Rule::own && own_.state != State::closed) return "the own standing rests while another shows";
  if (shown_.rule == Rule::shared && is_overtaken()) return "what is older than our own does not show";
  if (shown_.rule == Rule::own && own_.state == State::closed && evidence_) return "what is closed has no evidence";
  if (we_probe_ && !somebody_probes_) return "who probes is somebody";
  if (!in_touch_ && shown_.probing) return "nobody probes for all without the store";
  return {};
}

std::string Edge::describe() const {
  std::string text = name_ + ": " + std::string(to_string(shown_.state));
  switch (shown_.rule) {
    case Rule::own: text += " on its own"; break;
    case Rule::shared: text += " for all"; break;
    case Rule::override: text += " by " + override_->actor; break;
    case Rule::off: text += ", switched off"; break;
  }
  text += ", shared epoch " + std::to_string(shared_epoch()) + (in_touch_ ? "" : ", out of touch");
  text += "; " + window_.describe();
  return text;
}

}  // namespace holdfast::breaker

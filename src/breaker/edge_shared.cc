// What others hear of an edge: its vote, and the steps of the shared standing that it would commit.
#include <algorithm>
#include <utility>

#include "breaker/edge.h"

namespace holdfast::breaker {
namespace {

/// Candidates step forward one by one.
constexpr Duration kProbeScatter = 200ms;
constexpr Duration kCloseScatter = 500ms;

}  // namespace

Vote Edge::vote(const Self& self, const Verdict& verdict, Instant now) const {
  Vote vote;
  vote.self_suspect = self.suspect;
  vote.epoch = shared_epoch();
  if (!shares() || shown_.rule == Rule::override) return vote;
  Tally calls = window_.sum();
  if (evidence_ && still_counts(*evidence_, now)) {
    vote.opinion = Opinion::bad;
    vote.why = evidence_->why;
    vote.epoch = evidence_->epoch;
    calls = evidence_->calls;
  } else {
    vote.opinion = verdict.opinion;
    vote.why = verdict.why;
  }
  vote.calls = calls.calls;
  vote.failures = calls.failures;
  vote.slow = calls.slow;
  return vote;
}

/// Who has no calls any more knows nothing: that it was bad a day ago must not be the second voice against it today.
bool Edge::still_counts(const Evidence& evidence, Instant now) const {
  const Instant last = std::max(evidence.seen, refused_at_.value_or(evidence.seen));
  return now - last <= settings_.window;
}

std::optional<Proposal> Edge::propose(const Self& self, const Verdict& verdict, Plan& plan, Instant now) {
  was_pending_ = std::exchange(pending_, std::nullopt);
  const bool has_end = override_ && override_->until;
  if (has_end && now < *override_->until) plan.look_again = std::min(plan.look_again, *override_->until);
  if (!in_touch_) return std::nullopt;
  if (has_end && now >= *override_->until) return propose_expiry(now);
  if (override_in_force_ || !shares()) return std::nullopt;
  const Standing shared = shared_.value_or(Standing{});
  if (shared.state != State::closed && is_overtaken()) return propose_catching_up(shared, plan, now);
  switch (shared.state) {
    case State::closed: return propose_trip(self, shared, now);
    case State::ramp: {
      std::optional<Proposal> proposal = propose_trip(self, shared, now);
      if (proposal || verdict.opinion == Opinion::bad) return proposal;
      return propose_close(shared, plan, now);
    }
    case State::open:
      if (may_probe(shared, now)) return propose_probing(shared, plan, now);
      plan.look_again = std::min(plan.look_again, shared.since + shared.open_for);
      return std::nullopt;
    case State::half_open:
      if (we_probe_) return propose_verdict(shared, plan, now);
      return propose_probing(shared, plan, now);
  }
  return std::nullopt;
}

std::optional<Proposal> Edge::propose_expiry(Instant now) const {
  const std::string why = "the override of " + override_->actor + " is over";
  Standing next = shared_.value_or(Standing{.since = now});
  if (shares() && override_->state == State::open) {
    next = open_to_be_probed(next, why, now);
  } else {
    ++next.epoch;
  }
  return Proposal{Proposal::Kind::expire, next, {}, why};
}

std::optional<Proposal> Edge::propose_trip(const Self& self, const Standing& shared, Instant now) const {
  if (!self.may_open) return std::nullopt;
  const Quorum quorum = count_votes(votes_, self.voters, shared);
  if (!quorum.bad) return std::nullopt;
  // Chance is drawn from a copy: the same again is the same proposal.
  Prng chance = prng_;
  return Proposal{Proposal::Kind::trip, trip(settings_, shared, quorum.why, now, chance), {}, quorum.why};
}

std::optional<Proposal> Edge::propose_probing(const Standing& shared, Plan& plan, Instant now) {
  if (somebody_probes_ || !is_wanted(now)) return std::nullopt;
  if (!has_waited(Proposal::Kind::take_probe, shared.epoch, kProbeScatter, plan, now)) return std::nullopt;
  const std::string why = shared.state == State::open ? "it was open for long enough" : "who probed is gone";
  return Proposal{Proposal::Kind::take_probe, begin_probing(shared, shared.reason, now),
                  probe_lease(settings_, is_flapping(shared, now)), why};
}

std::optional<Proposal> Edge::propose_verdict(const Standing& shared, Plan& plan, Instant now) {
  const bool flapping = is_flapping(shared, now);
  const ProbeRun::Step step = step_run(plan, flapping, now);
  switch (step.result) {
    case ProbeRun::Result::well: return Proposal{Proposal::Kind::ramp, begin_ramp(shared, step.why, now), {}, step.why};
    case ProbeRun::Result::failed: {
      Prng chance = prng_;
      return Proposal{Proposal::Kind::reopen, trip(settings_, shared, step.why, now, chance), {}, step.why};
    }
    case ProbeRun::Result::going: break;
  }
  if (!run_.is_waiting()) return std::nullopt;
  const Instant patience_ends = run_.waiting_since() + probe_lease(settings_, false) - 1s;
  if (now < patience_ends) {
    plan.look_again = std::min(plan.look_again, patience_ends);
    return std::nullopt;
  }
  const std::string why = "nobody called";
  return Proposal{Proposal::Kind::release, give_up_probing(shared, why, now), {}, why};
}

std::optional<Proposal> Edge::propose_close(const Standing& shared, Plan& plan, Instant now) {
  if (!ramp_has_ended(settings_, shared, now)) {
    plan.look_again = std::min(plan.look_again, next_ramp_step(settings_, shared, now));
    return std::nullopt;
  }
  if (!has_waited(Proposal::Kind::close, shared.epoch, kCloseScatter, plan, now)) return std::nullopt;
  const std::string why = "the ramp is over";
  return Proposal{Proposal::Kind::close, close(shared, why, now), {}, why};
}

/// The store is back, and has what was true when it was lost. Who found the callee well meanwhile says so; who did not
/// goes on as he is, until somebody does or a newcomer probes.
std::optional<Proposal> Edge::propose_catching_up(const Standing& shared, Plan& plan, Instant now) {
  if (own_.state != State::closed) return std::nullopt;
  if (!has_waited(Proposal::Kind::close, shared.epoch, kProbeScatter, plan, now)) return std::nullopt;
  const std::string why = "it was found well while the store was gone";
  return Proposal{Proposal::Kind::close, close(shared, why, now), {}, why};
}

/// Draws how long to hold it back when it becomes possible, and waits for that.
bool Edge::has_waited(Proposal::Kind kind, std::uint64_t epoch, Duration most, Plan& plan, Instant now) {
  if (was_pending_ && was_pending_->kind == kind && was_pending_->epoch == epoch) {
    pending_ = was_pending_;
  } else {
    const auto held = static_cast<Duration::rep>(prng_.below(static_cast<std::uint64_t>(most.count())));
    pending_ = Pending{kind, epoch, now + Duration(held)};
  }
  if (now >= pending_->until) return true;
  plan.look_again = std::min(plan.look_again, pending_->until);
  return false;
}

}  // namespace holdfast::breaker

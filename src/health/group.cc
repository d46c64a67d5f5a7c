// What each observation does to the evidence on one endpoint. Who takes part in the end: shares.cc.
#include "health/group.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace holdfast::health {

std::string_view to_string(State state) {
  switch (state) {
    case State::healthy: return "healthy";
    case State::unhealthy: return "unhealthy";
    case State::ejected: return "ejected";
    case State::draining: return "draining";
  }
  return "unknown";
}

Group::Group(const Rules& rules, std::vector<Endpoint> endpoints, Instant now)
    : rules_(rules),
      endpoints_(std::move(endpoints)),
      evidence_(endpoints_.size()),
      members_(endpoints_.size(), Member{State::healthy, "no check has said otherwise", now}),
      shares_(endpoints_.size(), 0),
      now_(now) {
  settle_shares(now);
}

State Group::state_of(const Evidence& evidence) {
  if (evidence.draining) return State::draining;
  if (!evidence.passes_checks) return State::unhealthy;
  return evidence.ejected_for == Cause::none ? State::healthy : State::ejected;
}

bool Group::on_check(std::uint32_t index, bool ok, Instant now) {
  Evidence& evidence = evidence_[index];
  if (!ok) {
    evidence.passed = 0;
    ++evidence.failed;
    const bool falls = evidence.failed >= rules_.unhealthy_threshold || !evidence.proven;
    if (!evidence.passes_checks || !falls) return false;
    evidence.passes_checks = false;
    evidence.proven = true;
    evidence.climbing = false;
    return settle(index, std::to_string(evidence.failed) + " failed check(s) in a row", now);
  }
  evidence.failed = 0;
  evidence.passed = std::min(evidence.passed + 1, rules_.healthy_threshold);
  evidence.proven = true;
  if (!evidence.passes_checks) {
    if (evidence.passed < rules_.healthy_threshold) return false;
    // Whatever it was ejected for lies before its fall: checks have spoken since.
    evidence.passes_checks = true;
    evidence.ejected_for = Cause::none;
    join(evidence, now);
    return settle(index, std::to_string(evidence.passed) + " passed check(s) in a row", now);
  }
  if (evidence.ejected_for != Cause::connect) return false;
  end_ejection(evidence, now);
  return settle(index, "passed a check", now);
}

bool Group::on_connect_failure(std::uint32_t index, Instant now) {
  if (!rules_.outlier_ejection) return false;
  return eject(index, Cause::connect, "connection failed", now);
}

bool Group::on_consecutive_failures(std::uint32_t index, std::uint32_t count, Instant now) {
  if (!rules_.outlier_ejection || count < rules_.consecutive_failures) return false;
  return eject(index, Cause::failures, std::to_string(count) + " failures in a row", now);
}

bool Group::on_recovery_probe(std::uint32_t index, bool ok, Instant now) {
  Evidence& evidence = evidence_[index];
  if (evidence.ejected_for != Cause::connect) return false;
  if (ok) {
    end_ejection(evidence, now);
    return settle(index, "accepts connections again", now);
  }
  // While it is being asked and refuses, time alone does not bring it back. Should the asking stop, time does.
  evidence.ejected_until = std::max(evidence.ejected_until, now + 4 * kRecoveryInterval);
  return false;
}

void Group::on_refusal(std::uint32_t index) {
  Evidence& evidence = evidence_[index];
  if (evidence.ejected_for == Cause::failures) evidence.ejected_for = Cause::connect;
}

bool Group::drain(std::uint32_t index, bool draining, Instant now) {
  Evidence& evidence = evidence_[index];
  if (evidence.draining == draining) return false;
  evidence.draining = draining;
  if (!draining) join(evidence, now);
  return settle(index, draining ? "drained by the operator" : "taken back by the operator", now);
}

bool Group::tick(Instant now) {
  bool changed = false;
  for (std::uint32_t i = 0; i < evidence_.size(); ++i) {
    Evidence& evidence = evidence_[i];
    if (evidence.ejected_for == Cause::none || evidence.ejected_until > now) continue;
    end_ejection(evidence, now);
    changed |= settle(i, "its ejection is over", now);
  }
  return settle_shares(now) || changed;
}

bool Group::eject(std::uint32_t index, Cause cause, std::string why, Instant now) {
  Evidence& evidence = evidence_[index];
  if (!is_healthy(index)) return false;
  const auto healthy = [](const Evidence& each) { return state_of(each) == State::healthy; };
  if (std::ranges::count_if(evidence_, healthy) <= 1) return false;
  if (ejected() >= max_ejected()) return false;

  const bool relapse = evidence.ejections > 0 && now - evidence.returned_at < rules_.max_time;
  evidence.ejections = relapse ? evidence.ejections + 1 : 1;
  evidence.ejected_for = cause;
  evidence.climbing = false;
  const auto factor = static_cast<Duration::rep>(std::min(evidence.ejections, kMaxEjectionFactor));
  const Duration out = std::min(rules_.base_time * factor, std::max(rules_.max_time, rules_.base_time));
  evidence.ejected_until = now + out;
  return settle(index, std::move(why), now);
}

void Group::end_ejection(Evidence& evidence, Instant now) {
  evidence.ejected_for = Cause::none;
  evidence.returned_at = now;
  join(evidence, now);
}

void Group::join(Evidence& evidence, Instant now) const {
  evidence.climbing = rules_.slow_start > Duration::zero();
  evidence.joined_at = now;
}

std::uint32_t Group::ejected() const {
  return static_cast<std::uint32_t>(
      std::ranges::count_if(evidence_, [](const Evidence& each) { return each.ejected_for != Cause::none; }));
}

std::uint32_t Group::max_ejected() const {
  const std::size_t share = endpoints_.size() * rules_.max_ejected_percent / 100;
  return static_cast<std::uint32_t>(std::max<std::size_t>(share, 1));
}

void Group::adopt(const Group& predecessor, Instant now) {
  using Known = std::pair<std::uint64_t, std::uint32_t>;
  std::vector<Known> known;
  for (std::uint32_t i = 0; i < predecessor.endpoints_.size(); ++i) {
    known.emplace_back(predecessor.endpoints_[i].identity, i);
  }
  std::ranges::sort(known);
  for (std::uint32_t i = 0; i < endpoints_.size(); ++i) {
    const auto at = std::ranges::lower_bound(known, Known{endpoints_[i].identity, 0});
    if (at == known.end() || at->first != endpoints_[i].identity) {
      join(evidence_[i], now);
      members_[i].why = "joined";
      continue;
    }
    evidence_[i] = predecessor.evidence_[at->second];
    members_[i] = predecessor.members_[at->second];
  }
  // The new group may be smaller or stricter: the youngest suspicions beyond its fence are dropped.
  while (ejected() > (rules_.outlier_ejection ? max_ejected() : 0)) {
    std::uint32_t youngest = 0;
    for (std::uint32_t i = 0; i < evidence_.size(); ++i) {
      if (evidence_[i].ejected_for == Cause::none) continue;
      const bool younger =
          evidence_[youngest].ejected_for == Cause::none || members_[i].since > members_[youngest].since;
      if (younger) youngest = i;
    }
    end_ejection(evidence_[youngest], now);
    settle(youngest, "too many are ejected", now);
  }
  settle_shares(now);
}

}  // namespace holdfast::health

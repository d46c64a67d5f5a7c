// From the evidence to who takes part: tiers, slow start, and what happens when nobody is healthy.
#include <algorithm>

#include "health/group.h"

namespace holdfast::health {

std::uint16_t Group::share_of(const Evidence& evidence, Instant now) const {
  if (!evidence.climbing) return kWholeShare;
  const Duration step = rules_.slow_start / static_cast<int>(kSlowStartSteps);
  if (step <= Duration::zero()) return kWholeShare;
  const auto steps =
      static_cast<std::uint32_t>(std::clamp<Duration::rep>((now - evidence.joined_at) / step, 0, kSlowStartSteps));
  return static_cast<std::uint16_t>(kSlowStartFloor + (kWholeShare - kSlowStartFloor) * steps / kSlowStartSteps);
}

Instant Group::next_step(const Evidence& evidence) const {
  const Duration step = rules_.slow_start / static_cast<int>(kSlowStartSteps);
  if (step <= Duration::zero()) return kNever;
  return evidence.joined_at + step * ((now_ - evidence.joined_at) / step + 1);
}

bool Group::settle(std::uint32_t index, std::string why, Instant now) {
  const State state = state_of(evidence_[index]);
  const bool changed = members_[index].state != state;
  if (changed) members_[index] = Member{state, std::move(why), now};
  return settle_shares(now) || changed;
}

bool Group::settle_shares(Instant now) {
  now_ = std::max(now_, now);
  for (Evidence& evidence : evidence_) {
    if (evidence.climbing && share_of(evidence, now_) == kWholeShare) evidence.climbing = false;
  }
  // The first tier that has anybody takes part, alone.
  struct Tier {
    State state;
    bool backup;
  };
  constexpr Tier kTiers[] = {
      {State::healthy, false}, {State::healthy, true}, {State::ejected, false}, {State::ejected, true}};
  std::vector<std::uint16_t> shares(endpoints_.size(), 0);
  bool anybody = false;
  all_down_ = std::ranges::none_of(evidence_, [](const Evidence& each) { return state_of(each) == State::healthy; });
  for (const Tier& tier : kTiers) {
    for (std::size_t i = 0; i < endpoints_.size(); ++i) {
      if (endpoints_[i].backup != tier.backup || state_of(evidence_[i]) != tier.state) continue;
      shares[i] = tier.state == State::healthy ? share_of(evidence_[i], now_) : kWholeShare;
      anybody = true;
    }
    if (anybody) break;
  }
  if (!anybody && rules_.all_down == AllDown::try_all) {
    for (const bool backup : {false, true}) {
      for (std::size_t i = 0; i < endpoints_.size(); ++i) {
        if (endpoints_[i].backup != backup || evidence_[i].draining) continue;
        shares[i] = kWholeShare;
        anybody = true;
      }
      if (anybody) break;
    }
  }
  const bool changed = shares != shares_;
  shares_ = std::move(shares);
  return changed;
}

Instant Group::next_wake() const {
  Instant wake = kNever;
  for (const Evidence& evidence : evidence_) {
    if (evidence.ejected_for != Cause::none) wake = std::min(wake, evidence.ejected_until);
    if (evidence.climbing) wake = std::min(wake, next_step(evidence));
  }
  return wake;
}

bool Group::wants_recovery_probe(std::uint32_t index) const {
  const Evidence& evidence = evidence_[index];
  return evidence.ejected_for != Cause::none && evidence.passes_checks && !evidence.draining;
}

std::string Group::validate() const {
  bool healthy = false;
  bool taking_part = false;
  bool primary_healthy = false;
  for (std::uint32_t i = 0; i < endpoints_.size(); ++i) {
    const State state = state_of(evidence_[i]);
    if (members_[i].state != state) return "a state follows from the evidence";
    if (shares_[i] > kWholeShare) return "a share is at most the whole";
    if (state == State::draining && shares_[i] != 0) return "who drains takes no part";
    healthy |= state == State::healthy;
    primary_healthy |= state == State::healthy && !endpoints_[i].backup;
    taking_part |= shares_[i] != 0;
    if (evidence_[i].ejected_for != Cause::none && evidence_[i].ejected_until == kNever) return "an ejection ends";
  }
  if (healthy && !taking_part) return "somebody takes part while anybody is healthy";
  if (healthy == all_down_ && !endpoints_.empty()) return "all are down when nobody is healthy";
  if (ejected() > max_ejected()) return "no more are ejected than max_ejected";
  for (std::uint32_t i = 0; i < endpoints_.size(); ++i) {
    if (primary_healthy && endpoints_[i].backup && shares_[i] != 0) return "backups wait while a primary is healthy";
    if (healthy && members_[i].state != State::healthy && shares_[i] != 0) return "only the healthy take part";
  }
  return {};
}

std::string Group::describe() const {
  std::string text;
  for (std::size_t i = 0; i < endpoints_.size(); ++i) {
    text += std::to_string(i) + (endpoints_[i].backup ? " backup " : " ") + std::string(to_string(members_[i].state)) +
            " share " + std::to_string(shares_[i]) + ": " + members_[i].why + "\n";
  }
  return text;
}

}  // namespace holdfast::health

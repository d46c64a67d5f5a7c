#include "health/group.h"

#include <algorithm>

#include "base/check.h"

namespace holdfast::health {

std::string_view to_string(State state) {
  switch (state) {
    case State::healthy: return "healthy";
    case State::unhealthy: return "unhealthy";
    case State::ejected: return "ejected";
    case State::draining: return "draining";
  }
  return "healthy";
}

Group::Group(Rules rules, std::vector<Member> members) : rules_(rules) {
  members_.reserve(members.size());
  for (const Member& member : members) members_.push_back({.member = member, .why = "not yet proven otherwise"});
  update(Instant{});
}

bool Group::on_check(std::size_t index, bool ok, std::string_view why, Instant now) {
  State_& member = members_[index];
  if (ok) {
    member.failures = 0;
    ++member.successes;
    if (member.unreachable || (member.failing && member.successes >= rules_.healthy_threshold)) {
      joined(member, "health check passed", now);
    }
  } else {
    member.successes = 0;
    ++member.failures;
    if (!member.failing && member.failures >= rules_.unhealthy_threshold) {
      member.failing = true;
      member.since = now;
      member.why = "health check failed: " + std::string(why);
    }
  }
  return update(now);
}

bool Group::on_connect_failure(std::size_t index, Instant now) {
  State_& member = members_[index];
  if (member.unreachable) return false;
  member.unreachable = true;
  member.successes = 0;
  member.since = now;
  member.why = "connection failed";
  return update(now);
}

bool Group::on_recovered(std::size_t index, Instant now) {
  if (!members_[index].unreachable) return false;
  joined(members_[index], "accepts connections again", now);
  return update(now);
}

// It is back whatever took it out before, but for a drain.
void Group::joined(State_& member, std::string_view why, Instant now) {
  member.failing = false;
  member.unreachable = false;
  member.ejected = false;
  member.failures = 0;
  member.since = now;
  member.why = why;
  if (rules_.slow_start > Duration::zero()) member.warm_since = now;
}

// The share counts ejected endpoints of all; at least one may always go, the last one that is left never.
bool Group::may_eject(std::size_t index) const {
  std::size_t ejected = 0;
  std::size_t others_in = 0;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    ejected += members_[i].ejected ? 1 : 0;
    others_in += i != index && !members_[i].out() ? 1 : 0;
  }
  const auto most = std::max<std::size_t>(
      1, static_cast<std::size_t>(rules_.max_ejected * static_cast<double>(members_.size())));
  return others_in > 0 && ejected < most;
}

bool Group::on_consecutive_failures(std::size_t index, std::uint32_t count, Instant now) {
  State_& member = members_[index];
  if (!rules_.eject_outliers || count < rules_.consecutive_failures || member.out() || !may_eject(index)) return false;
  // One that was well for as long as its last ejection lasted starts over.
  const Duration last = std::min(rules_.base_time * static_cast<int>(member.ejections), rules_.max_time);
  if (member.ejections > 0 && now - member.ejected_until > std::max(last, rules_.base_time)) member.ejections = 0;
  ++member.ejections;
  member.ejected = true;
  member.ejected_until = now + std::min(rules_.base_time * static_cast<int>(member.ejections), rules_.max_time);
  member.since = now;
  member.why = std::to_string(count) + " failures in a row";
  return update(now);
}

bool Group::drain(std::size_t index, bool draining, Instant now) {
  State_& member = members_[index];
  if (member.draining == draining) return false;
  member.draining = draining;
  member.since = now;
  member.why = draining ? "draining" : "drain ended";
  return update(now);
}

bool Group::tick(Instant now) {
  for (State_& member : members_) {
    if (member.ejected && now >= member.ejected_until) {
      const bool still_out = member.failing || member.unreachable;
      if (still_out) {
        member.ejected = false;
      } else {
        joined(member, "ejection ended", now);
      }
    }
  }
  return update(now);
}

State Group::state(std::size_t index) const {
  const State_& member = members_[index];
  if (member.draining) return State::draining;
  if (member.failing || member.unreachable) return State::unhealthy;
  return member.ejected ? State::ejected : State::healthy;
}

// From a tenth to the whole, in a straight line.
std::uint16_t Group::warm_share(const State_& member, Instant now) const {
  if (rules_.slow_start <= Duration::zero() || member.warm_since == Instant{}) return kWholeShare;
  const double part = std::chrono::duration<double>(now - member.warm_since) /
                      std::chrono::duration<double>(rules_.slow_start);
  if (part >= 1) return kWholeShare;
  return static_cast<std::uint16_t>(std::max(0.1, part) * kWholeShare);
}

bool Group::update(Instant now) {
  std::vector<std::uint16_t> next(members_.size(), 0);
  const auto admit = [&](auto who) {
    bool any = false;
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (!who(members_[i])) continue;
      next[i] = warm_share(members_[i], now);
      any = true;
    }
    return any;
  };
  const bool somebody = admit([](const State_& m) { return !m.out() && !m.member.backup; }) ||
                        admit([](const State_& m) { return !m.out() && m.member.backup; });
  panicking_ = !somebody && rules_.try_all;
  if (panicking_) {
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (!members_[i].draining) next[i] = kWholeShare;
    }
  }
  const bool changed = next != shares_;
  shares_ = std::move(next);
  return changed;
}

Instant Group::next_tick(Instant now) const {
  constexpr Duration kWarmStep = 100ms;
  Instant next = kNever;
  for (const State_& member : members_) {
    if (member.ejected) next = std::min(next, member.ejected_until);
    const bool warming = member.warm_since != Instant{} && now < member.warm_since + rules_.slow_start;
    if (warming && !member.out()) next = std::min(next, now + kWarmStep);
  }
  return next;
}

void Group::adopt(const Group& predecessor, Instant now) {
  for (State_& member : members_) {
    const auto before = std::ranges::find_if(predecessor.members_, [&](const State_& each) {
      return each.member.identity == member.member.identity;
    });
    if (before != predecessor.members_.end()) {
      const Member own = member.member;
      member = *before;
      member.member = own;
    } else if (rules_.slow_start > Duration::zero()) {
      member.warm_since = now;  // it joined a service that is running: warm up
    }
  }
  update(now);
}

bool Group::validate() const {
  const bool in = std::ranges::any_of(members_, [](const State_& m) { return !m.out(); });
  std::size_t shared = 0;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (shares_[i] > kWholeShare) return false;
    if (shares_[i] != 0 && members_[i].draining) return false;
    if (shares_[i] != 0 && members_[i].out() && !panicking_) return false;
    shared += shares_[i] != 0 ? 1 : 0;
  }
  return !in || (shared > 0 && !panicking_);
}

Instant next_check(Instant previous, Duration interval, Prng& prng) {
  const double factor = 0.9 + 0.2 * prng.uniform();
  return previous + std::chrono::duration_cast<Duration>(interval * factor);
}

Instant first_check(Instant now, Duration interval, Prng& prng) {
  return now + std::chrono::duration_cast<Duration>(interval * prng.uniform());
}

}  // namespace holdfast::health

#include "breaker/standing.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "breaker/gate.h"

namespace holdfast::breaker {
namespace {

constexpr std::array<unsigned, 5> kRampPermille{50, 100, 250, 500, 750};

/// What is down is asked again after a part of the time that it has been: an eighth.
constexpr int kDownShare = 8;

/// How many trips in a row are still remembered: each window that it was closed takes one away.
unsigned trips_remembered(const Settings& settings, const Standing& before, Instant now) {
  if (before.state != State::closed || before.trips == 0) return before.trips;
  const auto healthy = std::max<Duration::rep>((now - before.since) / std::max<Duration>(settings.window, 1ns), 0);
  return healthy < before.trips ? before.trips - static_cast<unsigned>(healthy) : 0;
}

/// `base` doubled for each trip after the first, at most `most`.
Duration doubled(Duration base, unsigned trips, Duration most) {
  Duration length = base;
  for (unsigned i = 1; i < trips && length < most; ++i) length *= 2;
  return std::min(length, most);
}

/// How long it stays open now.
Duration time_open(const Settings& settings, const Standing& standing, Instant now) {
  const Duration most = std::max(settings.max_open_for, settings.open_for);
  if (is_flapping(standing, now)) return most;
  return std::min(std::max(doubled(settings.open_for, standing.trips, most), standing.down / kDownShare), most);
}

/// A fifth more or less, so that those who tripped together do not come back together.
Duration scattered(Duration length, Prng& prng) {
  return length / 1'000 * (800 + static_cast<Duration::rep>(prng.below(401)));
}

Duration ramp_step(const Settings& settings) {
  return std::max<Duration>(settings.ramp / static_cast<int>(kRampPermille.size()), 1ns);
}

bool flows(const Standing& standing) { return standing.state == State::closed || standing.state == State::ramp; }

/// Of the time that a state took, what it was meant to. It stays open for longer where nobody calls, or while an
/// operator has the word, and nobody knows how the callee was then.
Duration time_known_down(const Standing& standing, Instant now) {
  if (standing.state != State::open) return Duration::zero();
  return std::clamp<Duration>(now - standing.since, Duration::zero(), standing.open_for);
}

Standing step(const Standing& before, State state, std::string reason, Instant now) {
  Standing next = before;
  next.down = flows(before) ? Duration::zero() : before.down + time_known_down(before, now);
  next.state = state;
  ++next.epoch;
  next.since = now;
  next.open_for = Duration::zero();
  next.reason = std::move(reason);
  return next;
}

}  // namespace

std::string_view to_string(State state) {
  switch (state) {
    case State::closed: return "closed";
    case State::open: return "open";
    case State::half_open: return "half_open";
    case State::ramp: return "ramp";
  }
  return "unknown";
}

bool is_flapping(const Standing& standing, Instant now) {
  const Instant first = standing.flaps.back();
  return first != Instant{} && now - first <= kFlapMemory;
}

Standing trip(const Settings& settings, const Standing& before, std::string reason, Instant now, Prng& prng) {
  Standing next = step(before, State::open, std::move(reason), now);
  ++next.total;
  if (flows(before)) {
    next.trips = trips_remembered(settings, before, now) + 1;
    std::ranges::rotate(next.flaps, next.flaps.end() - 1);
    next.flaps.front() = now;
  }
  next.open_for = scattered(time_open(settings, next, now), prng);
  return next;
}

Standing open_to_be_probed(const Standing& before, std::string reason, Instant now) {
  return step(before, State::open, std::move(reason), now);
}

Standing begin_probing(const Standing& before, std::string reason, Instant now) {
  const bool probed = before.state == State::open || before.state == State::half_open;
  check(probed, "only what is open is probed");
  return step(before, State::half_open, std::move(reason), now);
}

Standing give_up_probing(const Standing& before, std::string reason, Instant now) {
  check(before.state == State::half_open, "who gives up has probed");
  return open_to_be_probed(before, std::move(reason), now);
}

Standing begin_ramp(const Standing& before, std::string reason, Instant now) {
  check(before.state == State::half_open, "probes come before the ramp");
  return step(before, State::ramp, std::move(reason), now);
}

Standing close(const Standing& before, std::string reason, Instant now) {
  return step(before, State::closed, std::move(reason), now);
}

bool may_probe(const Standing& standing, Instant now) {
  return standing.state == State::open && now - standing.since >= standing.open_for;
}

unsigned allowed_permille(const Settings& settings, const Standing& standing, Instant now) {
  switch (standing.state) {
    case State::closed: return Gate::kAll;
    case State::open:
    case State::half_open: return 0;
    case State::ramp: break;
  }
  if (ramp_has_ended(settings, standing, now)) return Gate::kAll;
  const auto passed = std::max<Duration::rep>((now - standing.since) / ramp_step(settings), 0);
  return kRampPermille[std::min(static_cast<std::size_t>(passed), kRampPermille.size() - 1)];
}

Instant next_ramp_step(const Settings& settings, const Standing& standing, Instant now) {
  const auto passed = std::max<Duration::rep>((now - standing.since) / ramp_step(settings), 0);
  return standing.since + ramp_step(settings) * (passed + 1);
}

bool ramp_has_ended(const Settings& settings, const Standing& standing, Instant now) {
  return standing.state == State::ramp && now - standing.since >= settings.ramp;
}

Duration probe_timeout(const Settings& settings) { return settings.slow_call; }

Duration probe_pause(const Settings& settings, bool flapping) {
  if (!flapping) return Duration::zero();
  return 2 * settings.window / static_cast<Duration::rep>(std::max(settings.probes, 2U) - 1);
}

Duration probe_lease(const Settings& settings, bool flapping) {
  const auto probes = static_cast<Duration::rep>(std::max(settings.probes, 1U));
  const Duration run = probe_timeout(settings) * probes + probe_pause(settings, flapping) * (probes - 1) + 1s;
  return std::chrono::ceil<std::chrono::seconds>(run);
}

}  // namespace holdfast::breaker

// The peak EWMA lives in one 64-bit word, so that value and time always belong together: a float of microseconds above
// (negative while it is only assumed), a clock in units of 2^14 ns below. That clock wraps after 19 hours; an endpoint
// asked that rarely has no load to judge.
#include "balance/load.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/check.h"

namespace holdfast::balance {
namespace {

constexpr int kClockShift = 14;
constexpr float kDecayTicks = static_cast<float>(kDecayTime.count() >> kClockShift);
constexpr float kSmallestUs = 0.001F;  // keeps the packed word of an observed endpoint from being 0

struct Observed {
  float us;  ///< negative: assumed
  std::uint32_t at;
};

std::uint32_t ticks(Instant now) { return static_cast<std::uint32_t>(now.time_since_epoch().count() >> kClockShift); }

std::uint64_t pack(Observed observed) {
  return std::uint64_t{std::bit_cast<std::uint32_t>(observed.us)} << 32 | observed.at;
}

Observed unpack(std::uint64_t word) {
  return {std::bit_cast<float>(static_cast<std::uint32_t>(word >> 32)), static_cast<std::uint32_t>(word)};
}

float microseconds(Duration duration) { return static_cast<float>(duration.count()) / 1000.0F; }

/// What is left of a value after the time since it was noted. Loops' clocks differ by a hair: a note from the future
/// (a huge unsigned age) counts as fresh.
float decay(Observed observed, std::uint32_t now) {
  const auto age = static_cast<std::int32_t>(now - observed.at);
  return age <= 0 ? 1.0F : std::exp(-static_cast<float>(age) / kDecayTicks);
}

float slowed_by_failure(float us, float usual_us) {
  const float slow = std::clamp(usual_us * static_cast<float>(kFailureFactor), microseconds(kFailureLatencyMin),
                                microseconds(kFailureLatencyMax));
  return std::max(us, slow);
}

}  // namespace

void release(Load& load) {
  // In one order with what follows: whoever looks for waiters after this is seen by them, or sees them.
  const std::uint32_t before = load.in_flight.fetch_sub(1, std::memory_order_seq_cst);
  check(before != 0, "a place is released once for each claim");
}

void observe(Load& load, Duration latency, bool failed, Instant now) {
  const std::uint32_t at = ticks(now);
  std::uint64_t word = load.latency.load(std::memory_order_relaxed);
  while (true) {
    const Observed before = word == 0 ? Observed{0.0F, at} : unpack(word);
    float us = std::max(microseconds(latency), kSmallestUs);
    if (failed) us = slowed_by_failure(us, std::abs(before.us));
    Observed after{us, at};
    if (us < before.us) {
      const float kept = decay(before, at);
      after.us = before.us * kept + us * (1.0F - kept);
      if (kept == 1.0F) after.at = before.at;  // no time passed: the clock must not run backwards
    }
    if (load.latency.compare_exchange_weak(word, pack(after), std::memory_order_relaxed)) return;
  }
}

void assume(Load& load, double latency_us, Instant now) {
  std::uint64_t never = 0;
  const float us = std::max(static_cast<float>(latency_us), kSmallestUs);
  load.latency.compare_exchange_strong(never, pack({-us, ticks(now)}), std::memory_order_relaxed);
}

double decayed_latency_us(const Load& load, Instant now) {
  const std::uint64_t word = load.latency.load(std::memory_order_relaxed);
  if (word == 0) return -1.0;
  const Observed observed = unpack(word);
  return static_cast<double>(std::abs(observed.us) * decay(observed, ticks(now)));
}

std::uint32_t count_outcome(Load& load, bool failed) {
  if (failed) return load.consecutive_failures.fetch_add(1, std::memory_order_relaxed) + 1;
  // Successes are the rule: only the first after a failure writes to the shared line.
  if (load.consecutive_failures.load(std::memory_order_relaxed) != 0) {
    load.consecutive_failures.store(0, std::memory_order_relaxed);
  }
  return 0;
}

}  // namespace holdfast::balance

// Load: what all loops together know of one endpoint: requests in flight, their cap, recent latency, failures in a row.
//
// One cache line per endpoint, owned by the proxy and kept across reloads by identity; balancers only point at it.
// Everything is a relaxed atomic: the numbers steer choices, they guard no memory. `in_flight` is nevertheless exact
// and never passes `limit`, because it only grows by a compare-and-swap (or an addition where there is no limit).
// Source: the latency is Twitter Finagle's "peak EWMA": a slow answer counts at once, a quick one only over time.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/cache_line.h"
#include "base/time.h"

namespace holdfast::balance {

/// How long a slow answer is remembered: after this time without news its weight has fallen to 1/e.
inline constexpr Duration kDecayTime = 10s;

/// A failed request counts as an answer this many times slower than usual …
inline constexpr double kFailureFactor = 10.0;
/// … within these bounds, so that an endpoint that fails in no time does not look quick.
inline constexpr Duration kFailureLatencyMin = 100ms;
inline constexpr Duration kFailureLatencyMax = 10s;

struct alignas(kCacheLine) Load {
  std::atomic<std::uint32_t> in_flight{0};
  std::atomic<std::uint32_t> limit{0};                 ///< most requests (or connections) at once; 0: no limit
  std::atomic<std::uint32_t> consecutive_failures{0};  ///< since the last success, over all loops
  std::atomic<std::uint64_t> latency{0};               ///< peak EWMA and its time, packed; 0: unknown
};
static_assert(sizeof(Load) == kCacheLine);

/// Whether another request would pass the limit. A hint: only a claim decides.
inline bool is_full(const Load& load) {
  const std::uint32_t limit = load.limit.load(std::memory_order_relaxed);
  return limit != 0 && load.in_flight.load(std::memory_order_relaxed) >= limit;
}

/// Takes one place, or says that there is none.
inline bool claim(Load& load) {
  const std::uint32_t limit = load.limit.load(std::memory_order_relaxed);
  if (limit == 0) {
    load.in_flight.fetch_add(1, std::memory_order_relaxed);
    return true;
  }
  std::uint32_t seen = load.in_flight.load(std::memory_order_relaxed);
  while (seen < limit) {
    if (load.in_flight.compare_exchange_weak(seen, seen + 1, std::memory_order_relaxed)) return true;
  }
  return false;
}

/// Takes one place only if `seen` requests are still in flight: the choice was made for that number.
inline bool claim_if(Load& load, std::uint32_t seen) {
  const std::uint32_t limit = load.limit.load(std::memory_order_relaxed);
  if (limit != 0 && seen >= limit) return false;
  return load.in_flight.compare_exchange_strong(seen, seen + 1, std::memory_order_relaxed);
}

/// Gives back the place that a pick claimed.
/// Requires: one release for each claim.
void release(Load& load);

/// Takes an answer into the peak EWMA; any loop may call it at any time.
void observe(Load& load, Duration latency, bool failed, Instant now);

/// Gives a member that was never observed a latency to start from. It decays like any; the first answer replaces it.
void assume(Load& load, double latency_us, Instant now);

/// The peak EWMA as it stands at `now`, in microseconds: without news it decays, so that a punished endpoint is asked
/// again. Negative when it is unknown.
double decayed_latency_us(const Load& load, Instant now);

/// Counts an outcome; returns how many failures in a row there are now (0 after a success).
std::uint32_t count_outcome(Load& load, bool failed);

}  // namespace holdfast::balance

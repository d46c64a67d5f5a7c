#include "balance/load.h"

#include <algorithm>
#include <cmath>

namespace holdfast::balance {

// Two loops that observe at once may lose one of the two observations: the next one mends it.
void observe(Load& load, Duration latency, bool failed, Instant now) {
  const std::int64_t seen = std::max(failed ? std::max(latency, Duration(kFailureLatency)) : latency, 1ns).count();
  const std::int64_t now_ns = now.time_since_epoch().count();
  const std::int64_t last_ns = load.observed_ns.exchange(now_ns, std::memory_order_relaxed);
  const std::int64_t before = load.latency_ns.load(std::memory_order_relaxed);
  if (before == 0 || seen >= before) {
    load.latency_ns.store(seen, std::memory_order_relaxed);
    return;
  }
  const double age = static_cast<double>(std::max<std::int64_t>(now_ns - last_ns, 0));
  const double kept = std::exp(-age / static_cast<double>(Duration(kLatencyDecay).count()));
  const double mixed = static_cast<double>(before) * kept + static_cast<double>(seen) * (1.0 - kept);
  load.latency_ns.store(static_cast<std::int64_t>(mixed), std::memory_order_relaxed);
}

}  // namespace holdfast::balance

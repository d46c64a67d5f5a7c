// CheckSchedule: when to check next. Jittered, and spread at the start, so that thousands of endpoints (or thousands of
// proxies checking one endpoint) do not fall into step.
#pragma once

#include <cstdint>

#include "base/prng.h"
#include "base/time.h"

namespace holdfast::health {

/// Intervals differ from their nominal length by up to this share, either way.
inline constexpr double kCheckJitter = 0.1;

class CheckSchedule {
 public:
  /// Requires: interval > 0.
  explicit CheckSchedule(Duration interval);

  /// The first check of endpoint `index` of `count`: each has its own slice of the first interval.
  /// Requires: index < count.
  Instant first(std::uint32_t index, std::uint32_t count, Instant start, Prng& prng) const;

  /// The check after one that began at `begun`. Never earlier than `now`: a late check is not made up for.
  Instant next(Instant begun, Instant now, Prng& prng) const;

  /// The next recovery probe after one that began at `begun`.
  static Instant next_recovery(Instant begun, Instant now, Prng& prng);

 private:
  Duration interval_;
};

}  // namespace holdfast::health

#include "health/check_schedule.h"

#include <algorithm>

#include "base/check.h"
#include "health/group.h"

namespace holdfast::health {
namespace {

Duration jittered(Duration interval, Prng& prng) {
  const double factor = 1.0 - kCheckJitter + 2.0 * kCheckJitter * prng.uniform();
  return Duration(static_cast<Duration::rep>(static_cast<double>(interval.count()) * factor));
}

}  // namespace

CheckSchedule::CheckSchedule(Duration interval) : interval_(interval) {
  check(interval > Duration::zero(), "a check interval is positive");
}

Instant CheckSchedule::first(std::uint32_t index, std::uint32_t count, Instant start, Prng& prng) const {
  check(index < count, "the endpoint is one of those to spread");
  const double place = (static_cast<double>(index) + prng.uniform()) / static_cast<double>(count);
  return start + Duration(static_cast<Duration::rep>(static_cast<double>(interval_.count()) * place));
}

Instant CheckSchedule::next(Instant begun, Instant now, Prng& prng) const {
  return std::max(begun + jittered(interval_, prng), now);
}

Instant CheckSchedule::next_recovery(Instant begun, Instant now, Prng& prng) {
  return std::max(begun + jittered(kRecoveryInterval, prng), now);
}

}  // namespace holdfast::health

// Durations and instants. A pure floor is handed `now`; only io::Loop reads a clock.
#pragma once

#include <chrono>

namespace holdfast {

using Duration = std::chrono::nanoseconds;

/// The clock that decides: monotonic, unrelated to the wall. It has no now(): the loop's is passed in.
struct Monotonic {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Monotonic, Duration>;
  static constexpr bool is_steady = true;
};

using Instant = Monotonic::time_point;

/// Like Monotonic, but it goes on while the machine is suspended (CLOCK_BOOTTIME). What a lease allows ends by this
/// one: a machine that wakes up must not believe that it still holds what others have taken over since.
struct BootTime {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootTime, Duration>;
  static constexpr bool is_steady = true;
};

using BootInstant = BootTime::time_point;

/// The instant by which something must be done. `kNever` waits without end: only for what ends by a stop.
using Deadline = Instant;
inline constexpr Deadline kNever = Instant::max();

using namespace std::chrono_literals;  // 250ms, 5s: numbers with units, everywhere

}  // namespace holdfast

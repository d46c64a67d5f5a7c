// The clocks of the process: what src/ is handed, this library must read.
#pragma once

#include <cstdint>
#include <ctime>

#include "base/time.h"

namespace holdfast::sdk {

inline Instant read_clock() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return Instant(Duration(now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec));
}

inline std::int64_t read_wall_clock_us() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * std::int64_t{1'000'000} + now.tv_nsec / 1000;
}

}  // namespace holdfast::sdk

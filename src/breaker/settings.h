// Settings: what a breaker is to do. The configuration's words and defaults (`services.NAME.breaker`), which a record
// in the store may replace for all proxies at once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"

namespace holdfast::breaker {

enum class Mode : std::uint8_t {
  enforce,
  observe,  ///< never refuses; says what it would have done
  off,
};

struct Settings {
  Mode mode = Mode::enforce;
  unsigned failure_percent = 50;      ///< of calls that failed, from which on it trips
  unsigned slow_percent = 50;         ///< of calls that took longer than slow_call
  Duration slow_call = 1s;            ///< a call in flight for so long is slow already
  unsigned minimum_requests = 20;     ///< fewer in a window say nothing
  unsigned consecutive_failures = 0;  ///< 0: failures in a row do not matter
  Duration window = 10s;
  Duration open_for = 2s;       ///< longer the longer it is down, and with each trip in a row …
  Duration max_open_for = 60s;  ///< … up to this
  unsigned probes = 3;          ///< good calls in a row, while half open, that let traffic return
  Duration ramp = 10s;          ///< over which it returns; 0s: at once
  bool shared = true;           ///< votes, and obeys what is decided together

  bool operator==(const Settings&) const = default;
};

std::string_view to_string(Mode mode);

/// "300ms", "10s": for reasons and descriptions.
std::string in_words(Duration duration);

}  // namespace holdfast::breaker

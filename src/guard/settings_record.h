// The record breaker/settings/NAME: what somebody wants otherwise than the file, for all proxies at once; in the file's
// words and units. It replaces only what it names:
//
//   {"failure_rate":"30%","open_for":"5s","mode":"observe"}
//
// Format: docs/formats/store.md.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "breaker/settings.h"

namespace holdfast::guard {

/// What a record names.
struct SettingsChange {
  std::optional<breaker::Mode> mode{};
  std::optional<unsigned> failure_percent{};
  std::optional<unsigned> slow_percent{};
  std::optional<Duration> slow_call{};
  std::optional<unsigned> minimum_requests{};
  std::optional<unsigned> consecutive_failures{};
  std::optional<Duration> window{};
  std::optional<Duration> open_for{};
  std::optional<Duration> max_open_for{};
  std::optional<unsigned> probes{};
  std::optional<Duration> ramp{};
  std::optional<bool> shared{};

  bool operator==(const SettingsChange&) const = default;
};

/// Errors: Code::invalid: no JSON object, or a value that the file would not take; the words say which.
Result<SettingsChange> parse_settings(std::string_view value);

breaker::Settings apply(const SettingsChange& change, const breaker::Settings& file);

}  // namespace holdfast::guard

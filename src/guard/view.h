// View: how one breaker is, for people, pages and metrics.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "breaker/settings.h"
#include "breaker/standing.h"
#include "breaker/tally.h"

namespace holdfast::guard {

struct OverrideView {
  breaker::State state = breaker::State::closed;  ///< open or closed
  std::string actor{};
  std::string reason{};
  std::int64_t since_us = 0;               ///< wall clock
  std::optional<std::int64_t> until_us{};  ///< wall clock; none: until somebody takes it back

  bool operator==(const OverrideView&) const = default;
};

struct View {
  std::string name{};
  breaker::State state = breaker::State::closed;
  double allowed = 1;  ///< share of calls that pass, 0 to 1; in mode observe all do
  breaker::Mode mode = breaker::Mode::enforce;
  std::optional<OverrideView> override{};
  std::string reason{};
  std::int64_t since_us = 0;  ///< wall clock
  unsigned trips = 0;         ///< out of a flow of calls, in a row
  std::uint64_t epoch = 0;    ///< of what is decided together; 0: nothing was
  bool shared = false;        ///< it is so for all: what was decided together shows, or an operator's word in the store
  std::uint64_t total = 0;    ///< how often it opened, as far as this process saw; not by an operator
  breaker::Settings settings{};

  breaker::Tally window{};    ///< calls, failures, slow ones that this process saw in its window
  std::uint64_t refused = 0;  ///< since the beginning
  std::uint32_t in_flight = 0;

  bool operator==(const View&) const = default;
};

}  // namespace holdfast::guard

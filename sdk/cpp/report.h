// Report: what the admin API says of one breaker, read from GET /v1/breakers. What is missing or strange has its
// default: a newer holdfast may say more.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "breaker/edge.h"

namespace holdfast::sdk {

struct Report {
  std::string name{};
  breaker::Settings settings{};
  breaker::State state = breaker::State::closed;
  unsigned trips = 0;
  std::string reason{};
  std::int64_t since_us = 0;  ///< wall clock

  struct Forced {
    breaker::State state = breaker::State::closed;
    std::string actor{};
    std::string reason{};
    std::optional<std::int64_t> until_us{};

    bool operator==(const Forced&) const = default;
  };
  std::optional<Forced> forced{};
};

/// None where it is no such page.
std::optional<std::vector<Report>> read_page(std::string_view body);

}  // namespace holdfast::sdk

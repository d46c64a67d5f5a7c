// The experiments of research on breakers, section 5, that need many proxies or a long time, in simulated time: real
// keepers on a simulated store (src/guard/world_for_tests.h), callees with a capacity and a latency, calls that arrive
// whether or not those before were answered. Each measures what it names; whether the goal was reached is not its
// business to bend.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/time.h"

namespace holdfast::sim {

struct Row {
  std::string name{};  ///< "9 single prober"
  std::string goal{};
  std::string measured{};
  bool is_reached = false;
};

struct Experiment {
  const char* name;  ///< "slow"
  std::vector<Row> (*run)(std::uint64_t seed);
};
std::span<const Experiment> experiments();

// breaker_outages.cc
std::vector<Row> slow_without_errors(std::uint64_t seed);
std::vector<Row> little_traffic_and_rare_time_outs(std::uint64_t seed);
std::vector<Row> poison(std::uint64_t seed);
std::vector<Row> store_loss(std::uint64_t seed);
// breaker_recoveries.cc
std::vector<Row> single_prober(std::uint64_t seed);
std::vector<Row> hung_probers(std::uint64_t seed);
std::vector<Row> cold_recovery(std::uint64_t seed);
std::vector<Row> recovery_lag(std::uint64_t seed);
std::vector<Row> flapping(std::uint64_t seed);
// breaker_clients.cc
std::vector<Row> client_count(std::uint64_t seed);

std::string in_ms(Duration duration);
/// "12.3 %"
std::string percent(double share);

}  // namespace holdfast::sim

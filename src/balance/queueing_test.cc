// The balancers at work in a simulated fleet: first-come first-served endpoints, Poisson arrivals, a seeded world.
//
// Two choices must follow the closed form of the supermarket model (Mitzenmacher 2001): mean time in system
// sum over i >= 1 of lambda^((2^i - 2) / (2 - 1)), and the heavily loaded balls-in-bins bound (Berenbrink 2000).
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <queue>

#include "balance/fleet_for_tests.h"

namespace holdfast::balance {
namespace {

double exponential(Prng& prng) { return -std::log(1.0 - prng.uniform()); }

struct Departure {
  double time;
  std::uint32_t member;
  bool operator>(const Departure& other) const { return time > other.time; }
};

struct World {
  Algorithm algorithm;
  std::size_t members;
  double lambda;  ///< load of each member, of 1
  int arrivals;
  int warm_up;
};

/// Times in system of all arrivals after the warm-up, service times from `service` with mean 1.
template <class Service>
std::vector<double> simulate(const World& world, Service service, std::uint64_t seed) {
  Fleet fleet(world.members);
  Balancer balancer({world.algorithm}, fleet.members, seed);
  Prng prng(seed);
  std::priority_queue<Departure, std::vector<Departure>, std::greater<>> departures;
  std::vector<double> free_at(world.members, 0.0);
  std::vector<double> times;
  double now = 0;
  for (int i = 0; i < world.arrivals; ++i) {
    now += exponential(prng) / (world.lambda * static_cast<double>(world.members));
    while (!departures.empty() && departures.top().time <= now) {
      release(fleet.loads[departures.top().member]);
      departures.pop();
    }
    const std::uint32_t member = balancer.pick({}, Instant{}, prng).index;
    free_at[member] = std::max(free_at[member], now) + service(prng);
    departures.push({free_at[member], member});
    if (i >= world.warm_up) times.push_back(free_at[member] - now);
  }
  return times;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double percentile(std::vector<double> values, double share) {
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size()));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

double supermarket(double lambda, double choices) {
  double sum = 0;
  for (int i = 1; i < 30; ++i) sum += std::pow(lambda, (std::pow(choices, i) - choices) / (choices - 1));
  return sum;
}

TEST(TwoChoices, tpds2001_time_in_system_follows_the_closed_form_within_five_percent) {
  EXPECT_NEAR(supermarket(0.9, 2), 2.6141, 0.0001);
  for (const double lambda : {0.5, 0.7, 0.8, 0.9, 0.95}) {
    const World world{Algorithm::two_choices, 500, lambda, 700'000, 150'000};
    const double time = mean(simulate(world, exponential, 21));
    RecordProperty("time_at_" + std::to_string(lambda).substr(0, 4), std::to_string(time));
    EXPECT_NEAR(time / supermarket(lambda, 2), 1.0, 0.05) << lambda;
  }
}

TEST(Random, tpds2001_one_choice_waits_as_a_single_queue_does) {
  const World world{Algorithm::random, 500, 0.8, 600'000, 200'000};
  EXPECT_NEAR(mean(simulate(world, exponential, 22)), 5.0, 0.25);
}

TEST(TwoChoices, heavily_loaded_the_excess_over_the_mean_stays_small) {
  // Published for 100,000 requests on 1000 members: two choices 96 to 102, one choice 70 to 139.
  for (const auto& [algorithm, low, high] :
       {std::tuple{Algorithm::two_choices, 94U, 104U}, {Algorithm::random, 60U, 150U}}) {
    Fleet fleet(1000);
    Balancer balancer({algorithm}, fleet.members, 1);
    Prng prng(23);
    for (int i = 0; i < 100'000; ++i) balancer.pick({}, Instant{}, prng);
    std::uint32_t least = 1000;
    std::uint32_t most = 0;
    for (const Load& load : fleet.loads) {
      least = std::min(least, load.in_flight.load());
      most = std::max(most, load.in_flight.load());
    }
    RecordProperty(algorithm == Algorithm::random ? "most_random" : "most_two_choices", static_cast<int>(most));
    EXPECT_GE(least, low);
    EXPECT_LE(most, high);
    EXPECT_GT(most, algorithm == Algorithm::random ? 125U : 100U);
  }
}

TEST(LeastConnections, with_uneven_service_times_beats_round_robin_by_far_at_the_99th_percentile) {
  // One request in ten takes 50 times as long as the others (squared coefficient of variation 6.5).
  const auto uneven = [](Prng& prng) { return (prng.below(10) == 0 ? 50.0 : 1.0) / 5.9; };
  const auto p99 = [&](Algorithm algorithm) {
    return percentile(simulate({algorithm, 20, 0.7, 300'000, 20'000}, uneven, 24), 0.99);
  };
  const double in_turn = p99(Algorithm::round_robin);
  const double least = p99(Algorithm::least_connections);
  const double two = p99(Algorithm::two_choices);
  RecordProperty("factor_least_connections", std::to_string(in_turn / least));
  RecordProperty("factor_two_choices", std::to_string(in_turn / two));
  EXPECT_GT(in_turn / least, 2.0);
  EXPECT_GT(in_turn / two, 1.5);
}

TEST(PeakEwma, a_slow_member_costs_fewer_slow_answers_than_with_round_robin) {
  const auto mean_latency_ms = [](Algorithm algorithm) {
    Fleet fleet(10);
    Balancer balancer({algorithm}, fleet.members, 1);
    Prng prng(25);
    std::priority_queue<std::pair<std::int64_t, std::uint32_t>, std::vector<std::pair<std::int64_t, std::uint32_t>>,
                        std::greater<>>
        departures;
    double sum = 0;
    constexpr int kRequests = 100'000;
    for (int i = 0; i < kRequests; ++i) {
      const std::int64_t now_us = std::int64_t{i} * 200;
      while (!departures.empty() && departures.top().first <= now_us) {
        release(fleet.loads[departures.top().second]);
        departures.pop();
      }
      const Instant now = Instant{} + std::chrono::microseconds(now_us);
      const std::uint32_t member = balancer.pick({}, now, prng).index;
      // Member 3 answers in 50 ms, the others in 1 to 3 ms.
      const std::int64_t took_us = member == 3 ? 50'000 : static_cast<std::int64_t>(1000 + prng.below(2000));
      observe(fleet.loads[member], std::chrono::microseconds(took_us), false, now);
      departures.emplace(now_us + took_us, member);
      sum += static_cast<double>(took_us) / 1000;
    }
    return sum / kRequests;
  };
  const double in_turn = mean_latency_ms(Algorithm::round_robin);
  const double ewma = mean_latency_ms(Algorithm::peak_ewma);
  RecordProperty("factor_peak_ewma", std::to_string(in_turn / ewma));
  EXPECT_NEAR(in_turn, 6.8, 0.1);
  EXPECT_LT(ewma, 2.2);
}

}  // namespace
}  // namespace holdfast::balance

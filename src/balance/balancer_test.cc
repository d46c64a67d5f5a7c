#include "balance/balancer.h"

#include <algorithm>
#include <barrier>
#include <cmath>
#include <gtest/gtest.h>
#include <thread>

#include "balance/fleet_for_tests.h"

namespace holdfast::balance {
namespace {

constexpr Algorithm kAll[] = {Algorithm::round_robin,
                              Algorithm::weighted_round_robin,
                              Algorithm::least_connections,
                              Algorithm::two_choices,
                              Algorithm::peak_ewma,
                              Algorithm::random,
                              Algorithm::maglev,
                              Algorithm::ring};

Instant at(Duration since_start) { return Instant{} + since_start; }

std::uint64_t in_flight(const Fleet& fleet) {
  std::uint64_t total = 0;
  for (const Load& load : fleet.loads) total += load.in_flight;
  return total;
}

class EveryAlgorithm : public testing::TestWithParam<Algorithm> {};

TEST_P(EveryAlgorithm, says_nobody_when_no_member_takes_part) {
  Prng prng(1);
  Balancer empty({GetParam()}, {}, 5);
  EXPECT_EQ(empty.pick({}, at(0s), prng).outcome, Outcome::nobody);
  Fleet fleet{1, 0};
  Balancer balancer({GetParam()}, fleet.members, 5);
  balancer.set_shares(std::vector<std::uint16_t>{0, kWholeShare});
  EXPECT_EQ(balancer.pick({}, at(0s), prng).outcome, Outcome::nobody);
  EXPECT_EQ(in_flight(fleet), 0U);
}

TEST_P(EveryAlgorithm, fills_each_member_to_its_limit_and_then_says_all_busy) {
  Fleet fleet(5, 3);
  Balancer balancer({GetParam()}, fleet.members, 5);
  Prng prng(2);
  for (int i = 0; i < 15; ++i) ASSERT_TRUE(balancer.pick({}, at(0s), prng)) << i;
  EXPECT_EQ(balancer.pick({}, at(0s), prng).outcome, Outcome::all_busy);
  for (const Load& load : fleet.loads) EXPECT_EQ(load.in_flight, 3U);
  EXPECT_EQ(balancer.validate(), "");
}

TEST_P(EveryAlgorithm, avoids_what_was_tried_until_nothing_else_has_room) {
  Fleet fleet(3, 1);
  Balancer balancer({GetParam()}, fleet.members, 5);
  Prng prng(3);
  const std::uint32_t tried[] = {0, 2};
  const Question question{.hash = 77, .tried = tried};
  EXPECT_EQ(balancer.pick(question, at(0s), prng), (Pick{Outcome::picked, 1}));
  const Pick again = balancer.pick(question, at(0s), prng);
  EXPECT_TRUE(again);
  EXPECT_NE(again.index, 1U);
}

TEST_P(EveryAlgorithm, honours_a_sticky_member_only_while_it_takes_part_untried_with_room) {
  Fleet fleet(4);
  fleet.loads[2].limit = 1;
  Balancer balancer({GetParam()}, fleet.members, 5);
  Prng prng(4);
  const std::uint32_t tried[] = {1};
  EXPECT_EQ(balancer.pick({.hash = 1, .sticky = 1}, at(0s), prng).index, 1U);
  EXPECT_NE(balancer.pick({.hash = 1, .tried = tried, .sticky = 1}, at(0s), prng).index, 1U);
  fleet.loads[2].in_flight = 1;
  EXPECT_NE(balancer.pick({.hash = 1, .sticky = 2}, at(0s), prng).index, 2U);
  balancer.set_shares(std::vector<std::uint16_t>{256, 256, 256, 0});
  EXPECT_NE(balancer.pick({.hash = 1, .sticky = 3}, at(0s), prng).index, 3U);
  EXPECT_TRUE(balancer.pick({.hash = 1, .sticky = 999}, at(0s), prng));
}

TEST_P(EveryAlgorithm, gives_shares_by_weight_and_none_to_who_is_out) {
  Fleet fleet{1, 2, 5, 4};
  Balancer balancer({GetParam()}, fleet.members, 5);
  Prng prng(5);
  balancer.set_shares(std::vector<std::uint16_t>{256, 256, 256, 0});
  // Requests stay for a while, or there would be no load to balance by.
  std::deque<std::uint32_t> flying;
  std::vector<double> picked(4, 0);
  for (int i = 0; i < 80'000; ++i) {
    const Pick pick = balancer.pick({.hash = prng.next()}, at(1ms * i), prng);
    ASSERT_TRUE(pick);
    ++picked[pick.index];
    flying.push_back(pick.index);
    if (flying.size() < 160) continue;
    observe(fleet.loads[flying.front()], 10ms, false, at(1ms * i));
    release(fleet.loads[flying.front()]);
    flying.pop_front();
  }
  EXPECT_EQ(picked[3], 0);
  EXPECT_NEAR(picked[0], 10'000, 600);
  EXPECT_NEAR(picked[1], 20'000, 900);
  EXPECT_NEAR(picked[2], 50'000, 900);
}

TEST_P(EveryAlgorithm, never_passes_a_limit_nor_loses_a_place_with_eight_threads) {
  Fleet fleet(5, 3);
  std::atomic<int> passed_limit{0};
  std::vector<std::thread> threads;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    threads.emplace_back([&, seed] {
      Balancer balancer({GetParam()}, fleet.members, seed);
      balancer.prepare();
      Prng prng(seed);
      std::vector<std::uint32_t> mine;
      for (int i = 0; i < 4000; ++i) {
        const Pick pick = balancer.pick({}, at(0s), prng);
        if (pick) mine.push_back(pick.index);
        for (const Load& load : fleet.loads) passed_limit += load.in_flight.load() > 3 ? 1 : 0;
        if (!mine.empty() && (!pick || prng.below(2) == 0)) {
          release(fleet.loads[mine.back()]);
          mine.pop_back();
        }
      }
      for (const std::uint32_t index : mine) release(fleet.loads[index]);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(passed_limit, 0);
  EXPECT_EQ(in_flight(fleet), 0U);
}

INSTANTIATE_TEST_SUITE_P(Balancer, EveryAlgorithm, testing::ValuesIn(kAll), [](const auto& test) {
  std::string name{to_string(test.param)};
  std::ranges::replace(name, ' ', '_');
  return name;
});

TEST(LeastConnections, is_exact_across_eight_threads) {
  // While requests only begin, every pick takes the true least at the moment of its claim: whatever the interleaving,
  // members of equal weight never differ by more than one. Between the phases random requests end.
  Fleet fleet(7);
  std::barrier phase(8);
  std::atomic<std::uint32_t> worst{0};
  std::vector<std::thread> threads;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    threads.emplace_back([&, seed] {
      Balancer balancer({Algorithm::least_connections}, fleet.members, seed);
      Prng prng(seed);
      for (int round = 0; round < 50; ++round) {
        std::vector<std::uint32_t> mine;
        phase.arrive_and_wait();
        for (int i = 0; i < 200; ++i) mine.push_back(balancer.pick({}, at(0s), prng).index);
        phase.arrive_and_wait();
        if (seed == 1) {
          std::uint32_t least = fleet.loads[0].in_flight;
          std::uint32_t most = least;
          for (const Load& load : fleet.loads) {
            least = std::min(least, load.in_flight.load());
            most = std::max(most, load.in_flight.load());
          }
          worst = std::max(worst.load(), most - least);
        }
        phase.arrive_and_wait();
        for (const std::uint32_t index : mine) release(fleet.loads[index]);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(worst, 1U);
}

TEST(LeastConnections, takes_idle_members_in_turn) {
  Fleet fleet(3);
  Balancer balancer({Algorithm::least_connections}, fleet.members, 0);
  Prng prng(1);
  EXPECT_EQ(letters(balancer, 7, prng), "abcabca");
}

TEST(LeastConnections, counts_in_flight_over_weight) {
  Fleet fleet{3, 1};
  Balancer balancer({Algorithm::least_connections}, fleet.members, 0);
  Prng prng(1);
  for (int i = 0; i < 400; ++i) balancer.pick({}, at(0s), prng);
  EXPECT_EQ(fleet.loads[0].in_flight, 300U);
  EXPECT_EQ(fleet.loads[1].in_flight, 100U);
}

TEST(TwoChoices, of_two_members_always_takes_the_less_loaded) {
  Fleet fleet(2);
  Balancer balancer({Algorithm::two_choices}, fleet.members, 0);
  Prng prng(1);
  fleet.loads[0].in_flight = 5;
  for (std::uint32_t i = 0; i < 5; ++i) EXPECT_EQ(balancer.pick({}, at(0s), prng).index, 1U);
}

TEST(PeakEwma, a_slow_answer_counts_at_once_and_is_forgotten_over_time) {
  Load load;
  EXPECT_LT(decayed_latency_us(load, at(0s)), 0);
  observe(load, 1ms, false, at(1s));
  EXPECT_NEAR(decayed_latency_us(load, at(1s)), 1000, 1);
  observe(load, 100ms, false, at(2s));
  EXPECT_NEAR(decayed_latency_us(load, at(2s)), 100'000, 10);
  EXPECT_NEAR(decayed_latency_us(load, at(12s)), 100'000 / std::exp(1.0), 50);
  observe(load, 1ms, false, at(12s));
  EXPECT_NEAR(decayed_latency_us(load, at(12s)), 37'400, 100) << "100 ms / e + 1 ms x (1 - 1 / e)";
}

TEST(PeakEwma, many_quick_answers_bring_it_down_as_time_passes_however_many_they_are) {
  Load load;
  observe(load, 100ms, false, at(0s));
  for (int i = 1; i <= 100'000; ++i) observe(load, 1ms, false, at(i * 100us));
  EXPECT_NEAR(decayed_latency_us(load, at(10s)), 37'400, 400);
}

TEST(PeakEwma, a_failure_counts_as_a_slow_answer_however_quick_it_was) {
  Load load;
  observe(load, 50us, true, at(0s));
  EXPECT_NEAR(decayed_latency_us(load, at(0s)), 100'000, 10);
  observe(load, 50us, true, at(0s));
  EXPECT_NEAR(decayed_latency_us(load, at(0s)), 1'000'000, 100);
  for (int i = 0; i < 5; ++i) observe(load, 50us, true, at(0s));
  EXPECT_NEAR(decayed_latency_us(load, at(0s)), 10'000'000, 1000);
}

TEST(PeakEwma, a_newcomer_is_taken_for_an_average_member_and_is_not_flooded) {
  Fleet fleet(4);
  for (std::size_t i = 0; i < 3; ++i) observe(fleet.loads[i], 10ms, false, at(0s));
  Balancer balancer({Algorithm::peak_ewma}, fleet.members, 0);
  Prng prng(1);
  for (int i = 0; i < 400; ++i) balancer.pick({}, at(0s), prng);
  EXPECT_NEAR(fleet.loads[3].in_flight, 100.0, 1.0);
}

TEST(PeakEwma, a_newcomer_is_tried_even_while_the_fleet_is_idle) {
  Fleet fleet(4);
  for (std::size_t i = 0; i < 3; ++i) observe(fleet.loads[i], 1ms * (i + 1), false, at(0s));
  Balancer balancer({Algorithm::peak_ewma}, fleet.members, 0);
  Prng prng(1);
  int picked = 0;
  for (int i = 1; i <= 2000; ++i) {
    const std::uint32_t index = balancer.pick({}, at(i * 10ms), prng).index;
    picked += index == 3 ? 1 : 0;
    observe(fleet.loads[index], 1ms * (index % 3 + 1), false, at(i * 10ms));
    release(fleet.loads[index]);
  }
  EXPECT_GT(picked, 500);
}

TEST(PeakEwma, gives_a_slow_member_less) {
  Fleet fleet(2);
  observe(fleet.loads[0], 10ms, false, at(0s));
  observe(fleet.loads[1], 30ms, false, at(0s));
  Balancer balancer({Algorithm::peak_ewma}, fleet.members, 0);
  Prng prng(1);
  for (int i = 0; i < 400; ++i) balancer.pick({}, at(0s), prng);
  EXPECT_NEAR(fleet.loads[0].in_flight, 300.0, 1.0);
}

TEST(PeakEwma, among_many_members_the_slow_and_the_failing_get_next_to_nothing) {
  Fleet fleet(100);
  Balancer balancer({Algorithm::peak_ewma}, fleet.members, 0);
  Prng prng(1);
  std::vector<int> picked(100, 0);
  for (int i = 0; i < 50'000; ++i) {
    const std::uint32_t index = balancer.pick({}, at(i * 100us), prng).index;
    ++picked[index];
    observe(fleet.loads[index], index == 7 ? 200ms : 2ms, index == 8, at(i * 100us));
    release(fleet.loads[index]);
  }
  EXPECT_LT(picked[7], 10);
  EXPECT_LT(picked[8], 10);
  for (std::size_t i = 9; i < 100; ++i) EXPECT_NEAR(picked[i], 510, 40) << i;
}

TEST(Balancer, a_reload_keeps_shares_by_identity_and_lets_newcomers_in_whole) {
  Fleet fleet(3);
  Balancer before({Algorithm::random}, fleet.members, 1);
  before.set_shares(std::vector<std::uint16_t>{256, 0, 128});
  fleet.add(1);
  const std::vector<Member> now{fleet.members[3], fleet.members[2], fleet.members[1]};
  Balancer after({Algorithm::random}, now, 1);
  after.adopt(before);
  EXPECT_TRUE(std::ranges::equal(after.shares(), std::vector<std::uint16_t>{256, 128, 0}));
  EXPECT_EQ(after.validate(), "");
}

TEST(Random, is_uniform_by_chi_square) {
  Fleet fleet(100);
  for (const Algorithm algorithm : {Algorithm::random, Algorithm::two_choices}) {
    Balancer balancer({algorithm}, fleet.members, 1);
    Prng prng(6);
    std::vector<double> picked(100, 0);
    for (int i = 0; i < 100'000; ++i) {
      const Pick pick = balancer.pick({}, at(0s), prng);
      ++picked[pick.index];
      release(fleet.loads[pick.index]);
    }
    double chi_square = 0;
    for (const double count : picked) chi_square += (count - 1000) * (count - 1000) / 1000;
    EXPECT_LT(chi_square, 148.2) << to_string(algorithm) << ": p = 0.001 at 99 degrees of freedom";
  }
}

}  // namespace
}  // namespace holdfast::balance

#include "balance/round_robin.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <map>
#include <set>

#include "balance/fleet_for_tests.h"

namespace holdfast::balance {
namespace {

/// The rule as it is told, member by member: the reference that RoundRobin must equal.
class Told {
 public:
  explicit Told(std::vector<std::uint32_t> weights) : weights_(std::move(weights)), credits_(weights_.size(), 0) {}

  std::uint32_t next() {
    std::int64_t total = 0;
    std::uint32_t best = 0;
    for (std::uint32_t i = 0; i < weights_.size(); ++i) {
      credits_[i] += weights_[i];
      total += weights_[i];
      if (credits_[i] > credits_[best]) best = i;
    }
    credits_[best] -= total;
    return best;
  }

 private:
  std::vector<std::uint32_t> weights_;
  std::vector<std::int64_t> credits_;
};

std::uint32_t next(RoundRobin& turns) {
  const std::uint32_t member = turns.front();
  turns.serve();
  return member;
}

TEST(RoundRobin, five_one_one_goes_a_a_b_a_c_a_a) {
  Fleet fleet{5, 1, 1};
  Balancer balancer({Algorithm::round_robin}, fleet.members, 0);
  Prng prng(1);
  EXPECT_EQ(letters(balancer, 14, prng), "aabacaaaabacaa");
}

TEST(RoundRobin, equals_the_rule_told_member_by_member_for_any_weights) {
  Prng prng(11);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::uint32_t> weights(1 + prng.below(12));
    for (std::uint32_t& weight : weights) weight = static_cast<std::uint32_t>(1 + prng.below(round % 2 == 0 ? 4 : 300));
    Told told(weights);
    RoundRobin turns;
    turns.set_weights(weights);
    for (int i = 0; i < 2000; ++i) ASSERT_EQ(next(turns), told.next()) << "round " << round << " turn " << i;
    ASSERT_EQ(turns.validate(), "");
  }
}

TEST(RoundRobin, is_exact_over_every_whole_cycle_beyond_the_rebase) {
  const std::vector<std::uint32_t> weights{7, 3, 3, 1, 1, 1, 0};
  RoundRobin turns;
  turns.set_weights(weights);
  ASSERT_EQ(turns.cycle(), 16U);
  turns.skip(5);
  for (int cycle = 0; cycle < 10'000; ++cycle) {
    std::vector<std::uint32_t> served(weights.size(), 0);
    for (int i = 0; i < 16; ++i) ++served[next(turns)];
    ASSERT_EQ(served, weights);
  }
}

TEST(RoundRobin, never_drifts_while_shares_change_back_and_forth) {
  Prng prng(12);
  RoundRobin turns;
  std::vector<std::uint32_t> weights{5 * 256, 256, 256, 3 * 256};
  turns.set_weights(weights);
  std::vector<double> due(4, 0.0);
  std::vector<double> served(4, 0.0);
  double worst = 0;
  for (int change = 0; change < 20'000; ++change) {
    // Between whole and nearly whole, up and down: nobody leaves, so what is owed is kept to the end.
    for (std::size_t i = 0; i < 4; ++i) {
      weights[i] = static_cast<std::uint32_t>((i == 0 ? 5 : i == 3 ? 3 : 1) * (128 + prng.below(129)));
    }
    turns.set_weights(weights);
    double total = 0;
    for (const std::uint32_t weight : weights) total += weight;
    const std::uint64_t count = prng.below(20);
    for (std::uint64_t i = 0; i < count; ++i) ++served[next(turns)];
    for (std::size_t i = 0; i < 4; ++i) {
      due[i] += weights[i] / total * static_cast<double>(count);
      worst = std::max(worst, std::abs(due[i] - served[i]));
    }
    ASSERT_EQ(turns.validate(), "");
  }
  RecordProperty("worst_debt_in_turns", std::to_string(worst));
  EXPECT_LT(worst, 1.5) << "of " << served[0] + served[1] + served[2] + served[3] << " turns";
}

TEST(RoundRobin, is_exact_over_whole_cycles_after_members_left_and_came_back) {
  Prng prng(13);
  const std::vector<std::uint32_t> whole{5, 1, 1, 2, 2, 3};
  for (int round = 0; round < 300; ++round) {
    RoundRobin turns;
    turns.set_weights(whole);
    for (int change = 0; change < 10; ++change) {
      turns.skip(prng.below(30));
      std::vector<std::uint32_t> some = whole;
      for (std::uint32_t& weight : some) weight = prng.below(3) == 0 ? 0 : weight;
      turns.set_weights(some);
      if (!turns.empty()) turns.skip(prng.below(30));
      turns.set_weights(whole);
    }
    // The debts from before are worked off in the first cycle; from then on each cycle is exact.
    turns.skip(turns.cycle());
    for (int cycle = 0; cycle < 20; ++cycle) {
      std::vector<std::uint32_t> served(whole.size(), 0);
      for (std::uint64_t i = 0; i < turns.cycle(); ++i) ++served[next(turns)];
      ASSERT_EQ(served, whole) << "round " << round << " cycle " << cycle;
    }
  }
}

TEST(RoundRobin, who_refuses_loses_its_turn_and_is_owed_nothing_for_it) {
  Fleet fleet{1, 1, 1};
  fleet.loads[1].limit = 1;
  Balancer balancer({Algorithm::round_robin}, fleet.members, 0);
  Prng prng(1);
  ASSERT_TRUE(claim(fleet.loads[1]));
  EXPECT_EQ(letters(balancer, 100, prng).find('b'), std::string::npos);
  release(fleet.loads[1]);
  const std::string after = letters(balancer, 30, prng);
  EXPECT_EQ(std::ranges::count(after, 'b'), 10) << after;
  EXPECT_EQ(after.find("bb"), std::string::npos) << after;
}

TEST(RoundRobin, a_full_heavy_member_does_not_hold_up_a_light_one) {
  Fleet fleet{1000, 1};
  fleet.loads[0].limit = 1;
  Balancer balancer({Algorithm::round_robin}, fleet.members, 0);
  Prng prng(1);
  ASSERT_TRUE(claim(fleet.loads[0]));
  EXPECT_EQ(letters(balancer, 5000, prng), std::string(5000, 'b'));
  release(fleet.loads[0]);
  EXPECT_LE(std::ranges::count(letters(balancer, 1001, prng), 'b'), 3);
}

TEST(RoundRobin, instances_with_different_seeds_start_at_different_members) {
  std::map<std::uint32_t, int> first;
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    Fleet fleet(50);
    Balancer balancer({Algorithm::round_robin}, fleet.members, seed);
    Prng prng(seed);
    ++first[balancer.pick({}, Instant{}, prng).index];
  }
  EXPECT_EQ(first.size(), 50U);
  for (const auto& [member, count] : first) EXPECT_LT(count, 45) << member;
}

TEST(RoundRobin, a_reload_goes_on_in_the_turn_whatever_the_new_order) {
  Fleet fleet(5);
  Balancer before({Algorithm::round_robin}, fleet.members, 0);
  Prng prng(1);
  EXPECT_EQ(letters(before, 3, prng), "abc");
  std::vector<Member> reversed(fleet.members.rbegin(), fleet.members.rend());
  Balancer after({Algorithm::round_robin}, reversed, 0);
  after.adopt(before);
  // The same five: d and e have not served yet, and stand at 1 and 0 now.
  const std::string turns = letters(after, 10, prng);
  EXPECT_EQ((std::set<char>{turns[0], turns[1]}), (std::set<char>{'a', 'b'})) << turns;
  for (const char member : {'a', 'b', 'c', 'd', 'e'}) EXPECT_EQ(std::ranges::count(turns, member), 2) << turns;
}

TEST(RoundRobin, a_reload_of_the_same_members_changes_nothing) {
  Fleet fleet{5, 1, 1};
  Prng prng(1);
  Balancer before({Algorithm::round_robin}, fleet.members, 0);
  EXPECT_EQ(letters(before, 4, prng), "aaba");
  Balancer after({Algorithm::round_robin}, fleet.members, 99);
  after.adopt(before);
  EXPECT_EQ(letters(after, 10, prng), "caaaabacaa");
}

}  // namespace
}  // namespace holdfast::balance

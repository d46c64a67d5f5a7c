#include "health/group.h"

#include <gtest/gtest.h>

#include "base/prng.h"

namespace holdfast::health {
namespace {

using Shares = std::vector<std::uint16_t>;

Instant at(Duration since_start) { return Instant{} + since_start; }

std::vector<Endpoint> endpoints(std::size_t primaries, std::size_t backups = 0) {
  std::vector<Endpoint> all;
  for (std::size_t i = 0; i < primaries + backups; ++i) all.push_back({100 + i, i >= primaries});
  return all;
}

Shares shares(const Group& group) { return {group.shares().begin(), group.shares().end()}; }

void fail_checks(Group& group, std::uint32_t index, Instant now) {
  for (int i = 0; i < 3; ++i) group.on_check(index, false, now);
}

TEST(Group, everyone_is_healthy_at_full_share_until_proven_otherwise) {
  const Group group({.slow_start = 10s}, endpoints(3), at(5s));
  EXPECT_EQ(shares(group), (Shares{256, 256, 256}));
  EXPECT_EQ(group.members()[0].state, State::healthy);
  EXPECT_EQ(group.members()[0].since, at(5s));
  EXPECT_EQ(group.next_wake(), kNever);
  EXPECT_FALSE(group.all_down());
}

TEST(Group, falls_after_unhealthy_threshold_failures_in_a_row_and_rises_after_healthy_threshold) {
  Group group({}, endpoints(2), at(0s));
  group.on_check(0, true, at(1s));
  EXPECT_FALSE(group.on_check(0, false, at(2s)));
  EXPECT_FALSE(group.on_check(0, false, at(3s)));
  EXPECT_FALSE(group.on_check(0, true, at(4s))) << "a success in between starts the count anew";
  EXPECT_FALSE(group.on_check(0, false, at(5s)));
  EXPECT_FALSE(group.on_check(0, false, at(6s)));
  EXPECT_TRUE(group.on_check(0, false, at(7s)));
  EXPECT_EQ(group.members()[0].state, State::unhealthy);
  EXPECT_EQ(group.members()[0].why, "3 failed check(s) in a row");
  EXPECT_EQ(group.members()[0].since, at(7s));
  EXPECT_EQ(shares(group), (Shares{0, 256}));
  EXPECT_FALSE(group.on_check(0, true, at(8s)));
  EXPECT_FALSE(group.on_check(0, false, at(9s)));
  EXPECT_FALSE(group.on_check(0, true, at(10s)));
  EXPECT_TRUE(group.on_check(0, true, at(11s)));
  EXPECT_EQ(shares(group), (Shares{256, 256}));
}

TEST(Group, one_that_never_passed_a_check_falls_at_the_first_failure) {
  Group group({}, endpoints(2), at(0s));
  EXPECT_TRUE(group.on_check(0, false, at(1s)));
  EXPECT_EQ(group.members()[0].state, State::unhealthy);
}

TEST(Group, ejects_at_consecutive_failures_and_takes_back_after_base_time) {
  Group group({}, endpoints(3), at(0s));
  EXPECT_FALSE(group.on_consecutive_failures(1, 4, at(1s)));
  EXPECT_TRUE(group.on_consecutive_failures(1, 5, at(1s)));
  EXPECT_EQ(group.members()[1].state, State::ejected);
  EXPECT_EQ(group.members()[1].why, "5 failures in a row");
  EXPECT_EQ(shares(group), (Shares{256, 0, 256}));
  EXPECT_FALSE(group.on_recovery_probe(1, true, at(2s))) << "a connection proves nothing about its answers";
  EXPECT_FALSE(group.on_recovery_probe(1, false, at(2s)));
  EXPECT_EQ(group.next_wake(), at(6s));
  EXPECT_FALSE(group.tick(at(6s) - 1ns));
  EXPECT_TRUE(group.tick(at(6s)));
  EXPECT_EQ(shares(group), (Shares{256, 256, 256}));
}

TEST(Group, one_that_failed_because_it_died_is_back_as_soon_as_it_listens) {
  Group group({}, endpoints(3), at(0s));
  EXPECT_TRUE(group.on_consecutive_failures(1, 5, at(1s)));
  EXPECT_TRUE(group.wants_recovery_probe(1)) << "has it died?";
  group.on_refusal(1);
  EXPECT_FALSE(group.on_recovery_probe(1, false, at(1s)));
  EXPECT_EQ(shares(group), (Shares{256, 0, 256}));
  EXPECT_TRUE(group.on_recovery_probe(1, true, at(2s)));
  EXPECT_EQ(shares(group), (Shares{256, 256, 256}));
  group.on_refusal(1);
  EXPECT_EQ(shares(group), (Shares{256, 256, 256})) << "who is not ejected is not touched";
}

TEST(Group, repeated_ejections_last_longer_up_to_max_time_and_good_behaviour_is_rewarded) {
  Group group({.max_time = 12s}, endpoints(3), at(0s));
  Instant now = at(0s);
  for (const Duration expected : {5s, 10s, 12s, 12s}) {
    group.on_consecutive_failures(0, 5, now);
    ASSERT_EQ(group.next_wake() - now, expected);
    now = group.next_wake();
    group.tick(now);
  }
  now += 12s;
  group.on_consecutive_failures(0, 5, now);
  EXPECT_EQ(group.next_wake() - now, 5s);
}

TEST(Group, a_connect_failure_ejects_at_once_and_the_first_successful_probe_brings_it_back) {
  Group group({}, endpoints(3), at(0s));
  EXPECT_TRUE(group.on_connect_failure(2, at(1s)));
  EXPECT_EQ(group.members()[2].state, State::ejected);
  EXPECT_TRUE(group.wants_recovery_probe(2));
  // It stays out while probes fail, however long that takes.
  Instant now = at(1s);
  for (int i = 0; i < 100; ++i) {
    now += kRecoveryInterval;
    EXPECT_FALSE(group.tick(now));
    EXPECT_FALSE(group.on_recovery_probe(2, false, now));
  }
  EXPECT_TRUE(group.on_recovery_probe(2, true, now));
  EXPECT_EQ(shares(group), (Shares{256, 256, 256}));
  EXPECT_FALSE(group.wants_recovery_probe(2));
}

TEST(Group, a_connect_failure_ends_by_time_where_nobody_probes_and_by_a_passed_check) {
  Group group({}, endpoints(3), at(0s));
  group.on_connect_failure(2, at(1s));
  EXPECT_TRUE(group.tick(at(6s)));
  group.on_connect_failure(1, at(7s));
  EXPECT_TRUE(group.on_check(1, true, at(8s)));
  EXPECT_EQ(shares(group), (Shares{256, 256, 256}));
}

TEST(Group, of_two_endpoints_one_may_be_ejected_but_never_the_last) {
  Group group({}, endpoints(2), at(0s));
  EXPECT_TRUE(group.on_connect_failure(0, at(1s)));
  EXPECT_FALSE(group.on_connect_failure(1, at(1s)));
  EXPECT_EQ(shares(group), (Shares{0, 256}));
  Group single({}, endpoints(1), at(0s));
  EXPECT_FALSE(single.on_connect_failure(0, at(1s)));
  EXPECT_EQ(shares(single), (Shares{256}));
}

TEST(Group, an_endpoint_that_fails_checks_does_not_count_as_healthy_company) {
  Group group({}, endpoints(2), at(0s));
  group.on_check(0, false, at(1s));
  EXPECT_FALSE(group.on_connect_failure(1, at(2s)));
  EXPECT_EQ(shares(group), (Shares{0, 256}));
}

TEST(Group, never_more_than_max_ejected_are_out_but_one_always_may_be) {
  for (const auto& [count, percent, allowed] :
       {std::tuple{10U, 50U, 5U}, {3U, 50U, 1U}, {10U, 0U, 1U}, {4U, 100U, 3U}}) {
    Group group({.max_ejected_percent = percent}, endpoints(count), at(0s));
    std::uint32_t ejected = 0;
    for (std::uint32_t i = 0; i < count; ++i) ejected += group.on_consecutive_failures(i, 5, at(1s)) ? 1U : 0U;
    EXPECT_EQ(ejected, allowed) << count << " at " << percent << " %";
  }
}

TEST(Group, with_outlier_ejection_off_real_requests_take_nobody_out) {
  Group group({.outlier_ejection = false}, endpoints(3), at(0s));
  EXPECT_FALSE(group.on_connect_failure(0, at(1s)));
  EXPECT_FALSE(group.on_consecutive_failures(0, 500, at(1s)));
}

TEST(Group, backups_take_part_only_while_no_primary_does) {
  Group group({}, endpoints(2, 2), at(0s));
  EXPECT_EQ(shares(group), (Shares{256, 256, 0, 0}));
  fail_checks(group, 0, at(1s));
  EXPECT_EQ(shares(group), (Shares{0, 256, 0, 0}));
  group.on_connect_failure(1, at(2s));
  EXPECT_EQ(shares(group), (Shares{0, 0, 256, 256})) << "backups are company enough to eject the last primary";
  group.on_recovery_probe(1, true, at(3s));
  EXPECT_EQ(shares(group), (Shares{0, 256, 0, 0}));
}

TEST(Group, draining_takes_no_part_even_when_all_are_down) {
  Group group({}, endpoints(3), at(0s));
  EXPECT_TRUE(group.drain(0, true, at(1s)));
  EXPECT_FALSE(group.drain(0, true, at(1s)));
  EXPECT_EQ(group.members()[0].state, State::draining);
  fail_checks(group, 1, at(2s));
  fail_checks(group, 2, at(2s));
  EXPECT_TRUE(group.all_down());
  EXPECT_EQ(shares(group), (Shares{0, 256, 256}));
  EXPECT_TRUE(group.drain(0, false, at(3s)));
  EXPECT_EQ(shares(group), (Shares{256, 0, 0}));
}

TEST(Group, when_all_are_down_try_all_asks_every_primary_and_fail_asks_nobody) {
  for (const AllDown all_down : {AllDown::try_all, AllDown::fail}) {
    Group group({.all_down = all_down}, endpoints(2, 1), at(0s));
    for (std::uint32_t i = 0; i < 3; ++i) fail_checks(group, i, at(1s));
    EXPECT_TRUE(group.all_down());
    EXPECT_EQ(shares(group), all_down == AllDown::try_all ? (Shares{256, 256, 0}) : (Shares{0, 0, 0}));
  }
}

TEST(Group, when_nobody_is_healthy_the_merely_ejected_are_asked_before_those_that_fail_checks) {
  Group group({.all_down = AllDown::fail}, endpoints(2), at(0s));
  group.on_consecutive_failures(0, 5, at(1s));
  fail_checks(group, 1, at(2s));
  EXPECT_TRUE(group.all_down());
  EXPECT_EQ(shares(group), (Shares{256, 0}));
  EXPECT_EQ(group.members()[0].state, State::ejected);
}

TEST(Group, slow_start_climbs_from_a_tenth_to_the_whole_after_a_recovery) {
  Group group({.slow_start = 10s}, endpoints(2), at(0s));
  fail_checks(group, 0, at(1s));
  group.on_check(0, true, at(2s));
  EXPECT_TRUE(group.on_check(0, true, at(3s)));
  EXPECT_EQ(shares(group), (Shares{kSlowStartFloor, 256}));
  std::uint16_t last = kSlowStartFloor;
  int steps = 0;
  for (Instant wake = group.next_wake(); wake != kNever; wake = group.next_wake()) {
    ASSERT_FALSE(group.tick(wake - 1ns));
    ASSERT_TRUE(group.tick(wake));
    ASSERT_GT(group.shares()[0], last);
    last = group.shares()[0];
    ++steps;
    EXPECT_TRUE(wake != at(8s) || last == (kSlowStartFloor + 256) / 2) << last;
    ASSERT_LE(wake, at(13s));
  }
  EXPECT_EQ(last, 256);
  EXPECT_EQ(steps, static_cast<int>(kSlowStartSteps));
}

TEST(Group, a_reload_keeps_health_ejections_and_counters_by_identity_and_newcomers_start_slowly) {
  Group before({.slow_start = 10s}, endpoints(4), at(0s));
  before.on_check(0, true, at(1s));
  before.on_check(0, false, at(1s));
  before.on_check(0, false, at(1s));
  fail_checks(before, 1, at(1s));
  before.on_connect_failure(2, at(1s));
  before.drain(3, true, at(1s));
  Group after({.slow_start = 10s}, {{999, false}, {103, false}, {102, false}, {101, false}, {100, false}}, at(2s));
  after.adopt(before, at(2s));
  EXPECT_EQ(shares(after), (Shares{kSlowStartFloor, 0, 0, 0, 256}));
  EXPECT_EQ(after.members()[1].state, State::draining);
  EXPECT_EQ(after.members()[2].state, State::ejected);
  EXPECT_EQ(after.members()[2].since, at(1s));
  EXPECT_TRUE(after.wants_recovery_probe(2));
  EXPECT_EQ(after.members()[3].state, State::unhealthy);
  EXPECT_TRUE(after.on_check(4, false, at(3s))) << "its third failure in a row";
}

TEST(Group, a_smaller_group_takes_over_no_more_ejections_than_it_may_have) {
  Group before({}, endpoints(6), at(0s));
  for (std::uint32_t i = 0; i < 3; ++i) before.on_consecutive_failures(i, 5, at(1s * (i + 1)));
  Group after({}, endpoints(3), at(4s));
  after.adopt(before, at(4s));
  EXPECT_EQ(after.members()[0].state, State::ejected) << "the oldest suspicion stays";
  EXPECT_EQ(shares(after), (Shares{0, 256, 256}));
  EXPECT_EQ(after.validate(), "");
}

TEST(Group, holds_its_invariants_through_any_sequence_of_observations_and_reloads) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Prng prng(seed);
    const Rules rules{.max_ejected_percent = static_cast<unsigned>(prng.below(101)),
                      .slow_start = prng.below(2) == 0 ? Duration::zero() : Duration(10s),
                      .all_down = prng.below(2) == 0 ? AllDown::try_all : AllDown::fail};
    std::size_t primaries = 1 + prng.below(8);
    Group group(rules, endpoints(primaries, prng.below(3)), at(0s));
    Instant now = at(0s);
    for (int step = 0; step < 5000; ++step) {
      now += Duration(static_cast<Duration::rep>(prng.below(500'000'000)));
      const auto index = static_cast<std::uint32_t>(prng.below(group.endpoints().size()));
      const Shares before = shares(group);
      bool changed = false;
      switch (prng.below(9)) {
        case 8: group.on_refusal(index); break;
        case 0: changed = group.on_check(index, false, now); break;
        case 1: changed = group.on_check(index, true, now); break;
        case 2: changed = group.on_connect_failure(index, now); break;
        case 3: changed = group.on_consecutive_failures(index, static_cast<std::uint32_t>(prng.below(8)), now); break;
        case 4: changed = group.on_recovery_probe(index, prng.below(3) == 0, now); break;
        case 5: changed = group.drain(index, prng.below(4) == 0, now); break;
        case 6: changed = group.tick(now); break;
        default:
          if (prng.below(20) != 0) break;
          primaries = 1 + prng.below(8);
          Group next(rules, endpoints(primaries, prng.below(3)), now);
          next.adopt(group, now);
          group = std::move(next);
          changed = true;
      }
      ASSERT_TRUE(changed || before == shares(group)) << "a change is reported, seed=" << seed << " step " << step;
      ASSERT_EQ(group.validate(), "") << "seed=" << seed << " step " << step << "\n" << group.describe();
      group.tick(now);
      ASSERT_GT(group.next_wake(), now) << "seed=" << seed << " step " << step;
    }
  }
}

}  // namespace
}  // namespace holdfast::health

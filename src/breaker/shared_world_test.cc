// A shared breaker in a small cluster: who may open it, who probes, and that it comes through chaos.
#include <gtest/gtest.h>

#include "breaker/shared_world_for_tests.h"

namespace holdfast::breaker {
namespace {

Settings any_settings(Prng& prng) {
  Settings settings{.slow_call = 200ms, .window = 5s, .open_for = 500ms, .max_open_for = 5s, .ramp = 2s};
  settings.probes = static_cast<unsigned>(1 + prng.below(5));
  if (prng.below(4) == 0) settings.ramp = 0s;
  if (prng.below(4) == 0) settings.shared = false;
  if (prng.below(4) == 0) settings.consecutive_failures = 10;
  if (prng.below(8) == 0) settings.mode = Mode::observe;
  return settings;
}

TEST(SharedWorld, keeps_its_rules_and_closes_when_it_calms_down) {
  unsigned steps = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Prng prng(seed);
    SharedWorld world(any_settings(prng), seed);
    for (int i = 0; i < 2'000; ++i) world.tick(true);
    world.calm_down();
    int waited = 0;
    while (!world.all_closed() && waited < 2'000) {
      world.tick(false);
      ++waited;
    }
    EXPECT_TRUE(world.all_closed()) << "seed " << seed << "\n" << world.describe();
    for (int i = 0; i < 400; ++i) world.tick(false);
    EXPECT_TRUE(world.all_closed()) << "stays closed, seed " << seed << "\n" << world.describe();
    ASSERT_EQ(world.broken(), "") << "seed " << seed;
    steps += world.steps();
  }
  EXPECT_GT(steps, 1'000U) << "the store has seen many steps";
}

const Settings kSettings{.slow_call = 300ms};

std::size_t closed(SharedWorld& world) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < kProxies; ++i) count += world.proxy(i).plan.state == State::closed ? 1U : 0U;
  return count;
}

// Polly #287: one sick node that shares its opinion would cut off all others.
TEST(SharedWorld, stays_closed_for_all_when_the_way_of_one_is_broken) {
  SharedWorld world(kSettings, 1);
  world.pass(10s);
  world.proxy(0).way_is_broken = true;
  for (int second = 0; second < 120; ++second) {
    world.pass(1s);
    EXPECT_EQ(world.shared_state(), State::closed);
    EXPECT_EQ(closed(world), kProxies - 1) << "it protects itself";
  }
  world.proxy(0).way_is_broken = false;
  world.pass(2min);
  EXPECT_TRUE(world.all_closed());
}

TEST(SharedWorld, stays_closed_for_all_when_a_zone_is_broken) {
  SharedWorld world(kSettings, 1);
  world.pass(10s);
  for (std::size_t i = 0; i < 3; ++i) world.proxy(i).way_is_broken = true;
  for (int second = 0; second < 60; ++second) {
    world.pass(1s);
    EXPECT_EQ(world.shared_state(), State::closed) << "three of five, but all in one zone";
  }
  EXPECT_EQ(closed(world), 2U);
}

TEST(SharedWorld, opens_for_all_when_most_of_two_zones_say_so) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SharedWorld world(kSettings, seed);
    world.pass(10s);
    for (const std::size_t i : {0U, 1U, 4U}) world.proxy(i).way_is_broken = true;
    world.pass(1s);
    EXPECT_EQ(world.shared_state(), State::open) << "seed " << seed;
    EXPECT_EQ(closed(world), 0U) << "seed " << seed;
  }
}

// jac #8420: without one prober each of N instances probes in each window of its own.
TEST(SharedWorld, probes_once_for_all) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SharedWorld world(kSettings, seed);
    world.pass(10s);
    world.set_callee_is_bad(true);
    world.pass(500ms);
    ASSERT_EQ(world.shared_state(), State::open) << "seed " << seed;
    const unsigned steps = world.steps();
    const std::uint64_t probes = world.probes_taken();
    world.pass(60s);
    // Each run is two steps: one takes the power, one says that the probe failed.
    const unsigned runs = (world.steps() - steps + 1) / 2;
    EXPECT_GE(runs, 3U) << "seed " << seed;
    EXPECT_LE(world.probes_taken() - probes, runs) << "the first probe of a run fails, seed " << seed;
    world.set_callee_is_bad(false);
    const std::uint64_t before = world.probes_taken();
    world.pass(2min);
    EXPECT_TRUE(world.all_closed()) << "seed " << seed;
    EXPECT_LE(world.probes_taken() - before, 3U) << "one run of three, seed " << seed;
    ASSERT_EQ(world.broken(), "");
  }
}

}  // namespace
}  // namespace holdfast::breaker

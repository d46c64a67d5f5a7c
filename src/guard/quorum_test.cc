// Whether a service is down for all or for some: several keepers on one store, in simulated time.
#include <gtest/gtest.h>

#include "guard/keys.h"
#include "guard/world_for_tests.h"

namespace holdfast::guard {
namespace {

using breaker::State;

// How long until it is open for all; none if it never is.
std::optional<Duration> time_to_open(World& world, Duration most = 5s) {
  return world.run_until([&world] { return world.all("profile", State::open); }, most);
}

TEST(Quorum, what_fails_for_everybody_opens_everywhere) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    World world(seed);
    Callee& profile = world.add_callee("profile");
    world.add_nodes(5, {"z1", "z2"});
    world.call_from_all("profile", 200);
    world.run(10s);
    EXPECT_TRUE(world.all("profile", State::closed));
    profile.failing = 1;
    const std::optional<Duration> took = time_to_open(world);
    ASSERT_TRUE(took.has_value()) << "seed " << seed;
    EXPECT_LE(*took, 700ms) << "seed " << seed;
    EXPECT_TRUE(world.run_until([&world] { return world.state("profile").has_value(); }, 1s));
    EXPECT_EQ(world.state("profile")->standing.state, State::open);
    EXPECT_EQ(world.state("profile")->standing.epoch, 1U);
    world.run(100ms);
    for (const auto& node : world.nodes) {
      EXPECT_TRUE(node->view("profile").shared) << node->name;
      EXPECT_EQ(node->view("profile").epoch, 1U);
    }
  }
}

TEST(Quorum, the_vote_of_a_breaker_that_a_reload_removed_goes_with_it) {
  World world(1);
  world.add_callee("profile");
  world.add_nodes(3);
  world.call_from_all("profile", 200);
  world.run(5s);
  const std::string key = vote_key("profile", world.nodes[0]->name);
  const auto is_there = [&] { return world.engine.keyspace().records().contains(key); };
  ASSERT_TRUE(is_there());
  world.nodes[0]->keeper->follow({});
  EXPECT_TRUE(world.run_until([&] { return !is_there(); }, 1s));
  EXPECT_TRUE(world.engine.keyspace().records().contains(vote_key("profile", world.nodes[1]->name)));
  world.nodes[0]->keeper->follow({{"profile", world.settings}});
  world.run(5s);
  EXPECT_TRUE(is_there()) << "it came back, and is called";
}

TEST(Quorum, a_vote_that_could_not_be_erased_is_erased_later) {
  World world(1);
  world.add_callee("profile");
  world.add_nodes(3);
  world.call_from_all("profile", 200);
  world.run(5s);
  const auto is_there = [&] {
    return world.engine.keyspace().records().contains(vote_key("profile", world.nodes[0]->name));
  };
  ASSERT_TRUE(is_there());
  world.nodes[0]->flow("profile").rate = 0.001;
  world.run(world.settings.window - 1s);
  world.nodes[0]->link->is_full = true;
  world.run(3s);
  world.nodes[0]->link->is_full = false;
  EXPECT_TRUE(world.run_until([&] { return !is_there(); }, 20s));
}

TEST(Quorum, what_hangs_opens_after_slow_call_and_not_after_the_time_out) {
  World world(1);
  Callee& profile = world.add_callee("profile");
  world.add_nodes(3);
  world.call_from_all("profile", 200);
  world.run(10s);
  profile.hangs = true;
  const std::optional<Duration> took = time_to_open(world);
  ASSERT_TRUE(took.has_value());
  EXPECT_LE(*took, 600ms);
  EXPECT_GE(*took, 300ms);
}

TEST(Quorum, one_proxy_of_five_that_cannot_reach_it_opens_it_for_itself_only) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    World world(seed);
    world.add_callee("profile");
    world.add_nodes(5, {"z1", "z2"});
    world.call_from_all("profile", 200);
    world.run(10s);
    world.nodes[2]->flow("profile").is_cut = true;
    world.run(30s);
    EXPECT_EQ(world.state("profile"), std::nullopt) << "seed " << seed;
    EXPECT_NE(world.nodes[2]->state("profile"), State::closed);
    EXPECT_EQ(world.count("profile", State::closed), 4U);
    for (const std::size_t other : {0U, 1U, 3U, 4U}) {
      Flow& flow = world.nodes[other]->flow("profile");
      EXPECT_EQ(flow.refused.between(world.start, world.now()), 0U);
    }
  }
}

TEST(Quorum, two_proxies_of_one_zone_do_not_speak_for_the_other) {
  World world(1);
  world.add_callee("profile");
  world.add_nodes(4, {"z1", "z2"});
  world.call_from_all("profile", 200);
  world.run(10s);
  world.nodes[0]->flow("profile").is_cut = true;
  world.nodes[2]->flow("profile").is_cut = true;
  world.run(30s);
  EXPECT_EQ(world.state("profile"), std::nullopt);
  EXPECT_EQ(world.nodes[1]->state("profile"), State::closed);
  EXPECT_EQ(world.nodes[3]->state("profile"), State::closed);
}

TEST(Quorum, three_of_five_over_two_zones_open_it_within_a_second) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    World world(seed);
    world.add_callee("profile");
    world.add_nodes(5, {"z1", "z2"});
    world.call_from_all("profile", 200);
    world.run(10s);
    for (const std::size_t each : {0U, 1U, 2U}) world.nodes[each]->flow("profile").is_cut = true;
    const std::optional<Duration> took = time_to_open(world);
    ASSERT_TRUE(took.has_value()) << "seed " << seed;
    EXPECT_LE(*took, 1s) << "seed " << seed;
  }
}

TEST(Quorum, a_proxy_that_is_alone_decides_alone_and_for_those_who_come_later) {
  World world(1);
  Callee& callee = world.add_callee("profile");
  world.add_nodes(1);
  world.call_from_all("profile", 200);
  world.run(11s);
  callee.failing = 1;
  EXPECT_TRUE(world.run_until([&world] { return world.state("profile").has_value(); }, 2s));
  world.add_nodes(1);
  world.nodes[1]->call("profile", 200);
  world.run(200ms);
  EXPECT_NE(world.nodes[1]->state("profile"), State::closed);
  EXPECT_TRUE(world.nodes[1]->view("profile").shared);
}

// Proxies that start at the same time do not see each other at once.
TEST(Quorum, who_has_just_come_is_not_alone) {
  World world(1);
  world.add_callee("profile").failing = 1;
  world.add_nodes(1);
  world.call_from_all("profile", 200);
  world.run(5s);
  EXPECT_NE(world.nodes[0]->state("profile"), State::closed);
  EXPECT_FALSE(world.state("profile").has_value()) << "for itself only";
}

TEST(Quorum, who_cannot_reach_anything_suspects_himself) {
  World world(1);
  world.add_nodes(3);
  for (const char* name : {"one", "two", "three", "four"}) {
    world.add_callee(name);
    world.call_from_all(name, 100);
  }
  world.run(10s);
  // Two of three would be enough.
  for (const char* name : {"one", "two", "three", "four"}) {
    world.nodes[0]->flow(name).is_cut = true;
  }
  world.nodes[1]->flow("four").is_cut = true;
  world.run(1s);
  EXPECT_EQ(world.nodes[2]->state("four"), State::closed);
  EXPECT_EQ(world.state("four"), std::nullopt);
}

TEST(Quorum, not_everything_is_opened_for_all_at_once) {
  World world(1);
  world.add_nodes(3);
  for (int i = 0; i < 20; ++i) {
    const std::string name = "s" + std::to_string(i);
    world.add_callee(name);
    world.call_from_all(name, 50);
  }
  world.run(10s);
  for (auto& [name, callee] : world.callees) callee->failing = 1;
  world.run(8s);
  std::size_t opened = 0;
  for (const auto& [name, callee] : world.callees) opened += world.state(name).has_value() ? 1U : 0U;
  EXPECT_GE(opened, 3U);
  EXPECT_LE(opened, 6U);
  std::size_t alarms = 0;
  for (const std::string& line : world.nodes[0]->said) alarms += line.starts_with("ALARM") ? 1U : 0U;
  EXPECT_EQ(alarms, 1U);
}

}  // namespace
}  // namespace holdfast::guard

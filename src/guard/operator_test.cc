// An operator's word: for all, with his name on it, until it is taken back or its time is up.
#include <gtest/gtest.h>

#include "guard/keys.h"
#include "guard/world_for_tests.h"

namespace holdfast::guard {
namespace {

using breaker::State;

constexpr const char* kName = "profile";

io::Task<> force(Ref<World> world, Ref<Node> node, State state, std::optional<Duration> lasting, Result<>* answer) {
  *answer = co_await node->keeper->force(kName, state, "mara", "INC-7", lasting, world->now() + 5s);
}

io::Task<> release(Ref<World> world, Ref<Node> node, Result<>* answer) {
  *answer = co_await node->keeper->release(kName, "mara", "over", world->now() + 5s);
}

struct Operator : testing::Test {
  World world{3};
  Callee& callee = world.add_callee(kName);

  void begin(bool shared = true) {
    world.add_nodes(shared ? 5 : 1, {"z1", "z2"}, shared);
    world.call_from_all(kName, 200);
    world.run(5s);
  }
  Result<> force_at(std::size_t node, State state, std::optional<Duration> lasting = std::nullopt) {
    Result<> answer;
    world.run(force(world, *world.nodes[node], state, lasting, &answer));
    return answer;
  }
  Result<> release_at(std::size_t node) {
    Result<> answer;
    world.run(release(world, *world.nodes[node], &answer));
    return answer;
  }
  std::uint64_t reached(Instant since) const { return callee.calls.between(since, world.now()); }
};

TEST_F(Operator, does_not_count_as_a_trip_while_each_other_opening_counts_once) {
  begin();
  callee.failing = 1;
  ASSERT_TRUE(world.run_until([this] { return world.all(kName, State::open); }, 2s));
  world.run(12s);
  const auto total = [this] { return world.state(kName)->standing.total; };
  EXPECT_GT(total(), 3U) << "probed in vain";
  ASSERT_TRUE(force_at(1, State::open));
  world.run(2s);
  ASSERT_TRUE(release_at(2));
  ASSERT_TRUE(world.run_until([this] { return world.all(kName, State::open); }, 2s));
  world.run(5s);
  ASSERT_TRUE(world.run_until([this] { return world.all(kName, State::open); }, 2s));
  for (const auto& node : world.nodes) EXPECT_EQ(node->view(kName).total, total()) << node->name;

  world.add_nodes(1, {"z1"});
  Node& newcomer = *world.nodes.back();
  newcomer.call(kName, 200);
  const std::uint64_t before = total();
  ASSERT_TRUE(world.run_until([&] { return newcomer.view(kName).shared; }, 2s));
  EXPECT_EQ(newcomer.view(kName).total, total() - before) << "what was before it came it has not seen";
}

TEST_F(Operator, open_is_open_everywhere_within_a_moment_and_says_who_and_why) {
  begin();
  ASSERT_TRUE(force_at(1, State::open));
  const std::optional<Duration> took = world.run_until([this] { return world.all(kName, State::open); }, 2s);
  ASSERT_TRUE(took.has_value());
  EXPECT_LE(*took, 20ms);
  const Instant since = world.now() + 100ms;
  world.run(20s);
  EXPECT_EQ(reached(since), 0U);
  const View view = world.nodes[4]->view(kName);
  ASSERT_TRUE(view.override.has_value());
  EXPECT_EQ(view.override->actor, "mara");
  EXPECT_EQ(view.override->reason, "INC-7");
  EXPECT_EQ(view.allowed, 0);
  EXPECT_TRUE(view.shared) << "it is so for all";
  EXPECT_EQ(world.events(kName), std::vector<std::string>{"forced open"});
}

TEST_F(Operator, closed_lets_everything_pass_whatever_happens) {
  begin();
  ASSERT_TRUE(force_at(0, State::closed));
  world.run(100ms);
  callee.failing = 1;
  world.run(20s);
  EXPECT_EQ(world.sum(&Flow::refused, kName, world.start, world.now()), 0U);
  EXPECT_EQ(world.state(kName), std::nullopt);
}

TEST_F(Operator, what_was_forced_open_is_probed_before_calls_flow) {
  begin();
  ASSERT_TRUE(force_at(0, State::open));
  world.run(10s);
  callee.failing = 1;
  const Instant since = world.now();
  ASSERT_TRUE(release_at(3));
  world.run(1s);
  EXPECT_LE(reached(since), 1U);
  EXPECT_EQ(world.count(kName, State::closed), 0U);
  callee.failing = 0;
  EXPECT_TRUE(world.run_until([this] { return world.all(kName, State::closed); }, 30s));
  EXPECT_EQ(world.nodes[0]->view(kName).override, std::nullopt);
}

TEST_F(Operator, a_word_that_is_over_leads_to_probing_once_for_all) {
  begin();
  ASSERT_TRUE(force_at(0, State::open, 30s));
  world.run(29s);
  EXPECT_TRUE(world.all(kName, State::open));
  callee.failing = 1;
  const Instant since = world.now();
  world.run(2s);
  EXPECT_LE(reached(since), 1U);
  EXPECT_GE(reached(since), 1U);
  EXPECT_FALSE(world.engine.keyspace().records().contains(override_key(kName)));
  std::size_t released = 0;
  for (const std::string& each : world.events(kName)) released += each == "released" ? 1U : 0U;
  EXPECT_EQ(released, 1U);
}

TEST_F(Operator, a_clock_that_is_wrong_does_not_end_it) {
  begin();
  world.nodes[4]->clock_off_us = 3'600'000'000;
  world.nodes[3]->clock_off_us = -3'600'000'000;
  ASSERT_TRUE(force_at(0, State::open, 30s));
  world.run(29s);
  EXPECT_TRUE(world.all(kName, State::open));
  EXPECT_TRUE(world.nodes[4]->view(kName).override.has_value());
  world.run(3s);
  EXPECT_FALSE(world.nodes[3]->view(kName).override.has_value());
}

TEST_F(Operator, the_last_of_two_who_speak_at_once_is_obeyed) {
  begin();
  Result<> one;
  Result<> other;
  world.tasks.add(force(world, *world.nodes[0], State::open, std::nullopt, &one));
  world.tasks.add(force(world, *world.nodes[1], State::closed, std::nullopt, &other));
  world.run(1s);
  EXPECT_TRUE(one);
  EXPECT_TRUE(other);
  EXPECT_EQ(world.events(kName).size(), 2U);
  EXPECT_TRUE(world.all(kName, world.nodes[0]->view(kName).override->state));
}

TEST_F(Operator, a_name_that_is_no_breaker_is_told) {
  begin();
  Result<> answer;
  world.nodes[0]->keeper->follow({});
  EXPECT_EQ(force_at(0, State::open).error().code, Code::missing);
  EXPECT_EQ(release_at(1).error().code, Code::missing) << "nobody has forced it";
  EXPECT_EQ(force_at(1, State::ramp).error().code, Code::invalid);
}

TEST_F(Operator, while_the_store_is_gone_he_is_told_so_and_what_he_said_before_holds) {
  begin();
  ASSERT_TRUE(force_at(0, State::open));
  world.run(1s);
  for (const auto& node : world.nodes) node->link->is_cut = true;
  const Instant since = world.now();
  world.run(60s);
  EXPECT_EQ(reached(since), 0U);
  const Result<> answer = release_at(0);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().side, Side::store);
}

// A reload that names another store.
struct Moving : Operator {
  void leave() { world.nodes[0]->keeper->unshare(); }
  void join(store::SimulatedEngine& engine) {
    const auto open = [&engine]() -> Result<std::unique_ptr<store::Store>> { return engine.connect_well(); };
    world.nodes[0]->keeper->share({.open = open, .node = "a", .zone = "z"});
  }
  bool is_forced() const { return world.nodes[0]->view(kName).override.has_value(); }
};

TEST_F(Moving, what_he_said_holds_until_another_store_has_been_read) {
  store::SimulatedEngine other(world.loop, 4);
  begin();
  ASSERT_TRUE(force_at(0, State::open));
  world.run(1s);
  leave();
  world.run(1s);
  EXPECT_TRUE(is_forced());
  join(other);
  EXPECT_TRUE(is_forced());
  EXPECT_TRUE(world.run_until([this] { return !is_forced(); }, 5s));
  leave();  // before the other store goes
  world.run(1s);
}

TEST_F(Moving, back_in_the_same_store_it_holds_if_it_stands_there_still) {
  begin();
  ASSERT_TRUE(force_at(0, State::open));
  world.run(1s);
  leave();
  join(world.engine);
  world.run(5s);
  EXPECT_TRUE(is_forced());
  ASSERT_TRUE(release_at(1));
  EXPECT_TRUE(world.run_until([this] { return !is_forced(); }, 1s));
}

TEST_F(Operator, without_a_store_his_word_holds_for_this_proxy) {
  begin(false);
  ASSERT_TRUE(force_at(0, State::open, 10s));
  world.run(1s);
  const Instant since = world.now();
  callee.failing = 1;
  world.run(8s);
  EXPECT_EQ(reached(since), 0U);
  world.run(2s);
  EXPECT_GE(reached(since), 1U) << "it is over, and probed";
  EXPECT_LE(reached(since), 2U);
  const std::vector<journal::Event> events = world.nodes[0]->keeper->journal().newest(100);
  ASSERT_GE(events.size(), 2U);
  EXPECT_EQ(events[0].what, "forced open");
  EXPECT_EQ(events[0].actor, "operator mara");
  EXPECT_EQ(events[1].what, "released");
}

}  // namespace
}  // namespace holdfast::guard

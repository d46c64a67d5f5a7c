// Who finds out whether a service is well again: one at a time, whoever he is and whatever becomes of him.
#include <gtest/gtest.h>

#include "guard/keys.h"
#include "guard/world_for_tests.h"

namespace holdfast::guard {
namespace {

using breaker::State;

constexpr const char* kName = "profile";

struct Probing : testing::Test {
  World world{7};
  Callee& callee = world.add_callee(kName);

  void open(std::size_t nodes = 5) {
    world.add_nodes(nodes, {"z1", "z2"});
    world.call_from_all(kName, 200);
    world.run(10s);
    callee.failing = 1;
    ASSERT_TRUE(world.run_until([this] { return world.all(kName, State::open); }, 2s));
  }
  // The node that holds the power to probe; null if nobody does.
  Node* prober() {
    const auto probe = world.engine.keyspace().records().find(probe_key(kName));
    if (probe == world.engine.keyspace().records().end()) return nullptr;
    const Result<ProbeRecord> record = parse_probe(probe->second.value);
    for (const auto& node : world.nodes) {
      if (node->name == record->node) return node.get();
    }
    return nullptr;
  }
  Node* wait_for_prober() {
    Node* found = nullptr;
    EXPECT_TRUE(world.run_until([&] { return (found = prober()) != nullptr; }, 10s));
    return found;
  }
  // Who made it.
  Node* let_a_probe_hang() {
    open();
    callee.hangs = true;
    callee.failing = 0;
    return wait_for_prober();
  }
  void expect_another_at_once(const Node* first) {
    const auto another = [this, first] { return prober() != nullptr && prober() != first; };
    const std::optional<Duration> took = world.run_until(another, 10s);
    ASSERT_TRUE(took.has_value());
    EXPECT_LE(*took, 500ms);
  }
  State shared_state() const { return world.state(kName)->standing.state; }
};

TEST_F(Probing, one_call_reaches_the_callee_in_each_window_while_it_is_down) {
  open();
  world.run(100ms);
  const Instant opened = world.now();
  world.run(60s);
  const std::uint64_t reached = callee.calls.between(opened, world.now());
  const std::vector<store::Record> states = world.history(state_key(kName));
  std::uint64_t windows = 0;
  for (const store::Record& each : states) {
    if (parse_state(each.value)->standing.state == State::half_open) ++windows;
  }
  EXPECT_GE(windows, 4U);
  EXPECT_LE(reached, windows + 1) << "one probe a window, and what was under way when it opened";
}

TEST_F(Probing, what_is_well_again_is_ramped_up_and_closed_for_all) {
  open();
  callee.failing = 0;
  const auto ramps = [this] { return shared_state() == State::ramp; };
  const std::optional<Duration> took = world.run_until(ramps, 10s);
  ASSERT_TRUE(took.has_value());
  EXPECT_LE(*took, 3500ms) << "open_for of 2 s and a fifth, a candidate's pause, three probes";
  EXPECT_TRUE(world.run_until([this] { return world.all(kName, State::closed); }, 12s));
  const std::vector<std::string> events = world.events(kName);
  const std::vector<std::string> shared{"opened", "probing", "ramping up", "closed"};
  std::vector<std::string> found;
  for (const std::string& each : events) {
    if (!each.ends_with(" here")) found.push_back(each);
  }
  EXPECT_EQ(found, shared);
}

TEST_F(Probing, a_prober_that_hangs_is_judged_by_its_own_clock) {
  open();
  callee.failing = 0;
  callee.hangs = true;
  ASSERT_NE(wait_for_prober(), nullptr);
  const std::optional<Duration> took = world.run_until([this] { return shared_state() == State::open; }, 10s);
  ASSERT_TRUE(took.has_value());
  EXPECT_LE(*took, 500ms) << "slow_call and a tick";
  EXPECT_EQ(world.state(kName)->standing.total, 2U);
}

TEST_F(Probing, when_a_prober_is_killed_another_takes_over_after_its_lease) {
  Node* first = let_a_probe_hang();
  ASSERT_NE(first, nullptr);
  first->kill();
  callee.hangs = false;
  const std::uint64_t epoch = world.state(kName)->standing.epoch;
  const auto another = [this, first] { return prober() != nullptr && prober() != first; };
  const std::optional<Duration> took = world.run_until(another, 10s);
  ASSERT_TRUE(took.has_value());
  const Duration lease = breaker::probe_lease(world.settings, false);
  EXPECT_LE(*took, lease + 1s) << "the store looks for ended leases each half second";
  EXPECT_EQ(world.state(kName)->standing.epoch, epoch + 1);
  EXPECT_TRUE(world.run_until([this] { return shared_state() == State::ramp; }, 1s));
}

// As soon as the power is taken, and when it surely knows that.
class ProberThatEnds : public Probing, public testing::WithParamInterface<Duration> {};

TEST_P(ProberThatEnds, is_followed_at_once) {
  Node* first = let_a_probe_hang();
  ASSERT_NE(first, nullptr);
  world.run(GetParam());
  first->stop();
  expect_another_at_once(first);
}

INSTANTIATE_TEST_SUITE_P(Probing, ProberThatEnds, testing::Values(0ms, 100ms));

// By a reload.
class ProberThatSharesNoMore : public Probing, public testing::WithParamInterface<bool> {};

TEST_P(ProberThatSharesNoMore, is_followed_at_once) {
  Node* first = let_a_probe_hang();
  ASSERT_NE(first, nullptr);
  world.run(100ms);
  breaker::Settings alone = world.settings;
  alone.shared = false;
  std::vector<Wanted> wanted;
  if (GetParam()) wanted.push_back({kName, alone});
  first->keeper->follow(wanted);
  expect_another_at_once(first);
}

INSTANTIATE_TEST_SUITE_P(Probing, ProberThatSharesNoMore, testing::Bool(),
                         [](const auto& each) { return each.param ? "breaker_of_its_own" : "no_breaker"; });

TEST_F(Probing, a_verdict_that_comes_after_the_lease_has_ended_is_refused) {
  open();
  callee.failing = 0;
  callee.latency = 50ms;
  Node* first = wait_for_prober();
  ASSERT_NE(first, nullptr);
  // Its probes go well, and then its machine is stopped in the midst of saying so.
  first->link->commits_late = 10s;
  const std::uint64_t epoch = world.state(kName)->standing.epoch;
  world.run(400ms);
  callee.failing = 1;  // for whoever probes next
  world.run(15s);
  EXPECT_EQ(first->link->late_committed, 0U);
  EXPECT_GE(first->link->late_refused, 1U);
  EXPECT_GT(world.state(kName)->standing.epoch, epoch);
  for (const store::Record& each : world.history(state_key(kName))) {
    EXPECT_NE(parse_state(each.value)->standing.state, State::ramp) << each.value;
  }
}

TEST_F(Probing, where_nobody_calls_nobody_probes) {
  open();
  for (const auto& node : world.nodes) node->call(kName, 0);
  world.run(30s);
  EXPECT_EQ(shared_state(), State::open);
  const std::uint64_t epoch = world.state(kName)->standing.epoch;
  EXPECT_LE(epoch, 3U) << "at most one took the power, and gave it back";
  callee.failing = 0;
  world.nodes[3]->call(kName, 5);
  EXPECT_TRUE(world.run_until([this] { return shared_state() == State::ramp; }, 3s));
}

TEST_F(Probing, at_most_one_is_authorised_in_each_epoch) {
  open();
  for (int i = 0; i < 10; ++i) {
    world.run(3s);
    if (Node* node = prober(); node != nullptr && i % 3 == 0) {
      node->kill();
      world.run(2s);
      node->start(true);
    }
  }
  std::map<std::uint64_t, std::string> probers;
  for (const store::Record& each : world.history(probe_key(kName))) {
    const Result<ProbeRecord> probe = parse_probe(each.value);
    EXPECT_TRUE(probers.emplace(probe->epoch, probe->node).second) << each.value;
  }
  EXPECT_GE(probers.size(), 3U);
}

}  // namespace
}  // namespace holdfast::guard

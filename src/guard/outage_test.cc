// One proxy loses the store for some seconds, less than its lease lasts, while the others go on. What they did
// meanwhile is old when it comes back: it counts from when it happened, and is nothing to tell of any more.
#include <algorithm>
#include <gtest/gtest.h>

#include "guard/keys.h"
#include "guard/world_for_tests.h"

namespace holdfast::guard {
namespace {

using breaker::State;

constexpr const char* kName = "profile";
constexpr Duration kOutage = 9s;
constexpr Duration kOpenFor = 20s;    // it is opened again once during the outage, and stays so until after it
constexpr Duration kRamp = 30s;       // longer than both
constexpr Duration kScatter = 300ms;  // candidates step forward within 200 ms; and a look or two
constexpr std::uint64_t kSeeds = 5;

struct Outage {
  explicit Outage(std::uint64_t seed) : world(seed), callee(world.add_callee(kName)) {
    world.settings.open_for = kOpenFor;
    world.settings.ramp = kRamp;
    world.add_nodes(5, {"z1", "z2"});
    world.call_from_all(kName, 200);
    world.run(10s);
    callee.failing = 1;
    opened = world.run_until([this] { return world.all(kName, State::open); }, 2s).has_value();
    world.run(left() - 1s);
  }
  Node& node() { return *world.nodes[0]; }
  Node& other() { return *world.nodes[1]; }
  void lose() { node().link->is_cut = true; }
  bool find() {
    told = lines();
    node().link->is_cut = false;
    return world.run_until([this] { return node().keeper->in_touch() && node().view(kName).shared; }, 10s).has_value();
  }
  /// Until it may be probed, as the record says.
  Duration left() const {
    const StateRecord record = world.state(kName).value_or(StateRecord{});
    return record.standing.open_for - std::chrono::microseconds(world.wall_us() - record.since_us);
  }
  /// How long it still refuses everything, when nobody else is there to probe.
  Duration waits_alone() {
    for (std::size_t i = 1; i < world.nodes.size(); ++i) world.nodes[i]->kill();
    return world.run_until([this] { return node().state(kName) != State::open; }, 1min).value_or(1min);
  }
  /// What it said of steps that all took.
  std::ptrdiff_t lines() {
    return std::ranges::count_if(node().said, [](const auto& line) { return line.find(" for all ") != line.npos; });
  }

  World world;
  Callee& callee;
  bool opened = false;
  std::ptrdiff_t told = 0;
};

TEST(AfterAnOutage, what_is_open_stays_so_for_the_rest_of_its_time) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Outage outage(seed);
    ASSERT_TRUE(outage.opened) << "seed " << seed;
    const std::uint64_t before = outage.world.state(kName)->standing.epoch;
    outage.lose();
    outage.world.run(kOutage);
    ASSERT_GT(outage.world.state(kName)->standing.epoch, before + 1) << "seed " << seed << ": it was opened again";
    ASSERT_EQ(outage.other().state(kName), State::open) << "seed " << seed;
    ASSERT_TRUE(outage.find()) << "seed " << seed;
    EXPECT_EQ(outage.node().state(kName), State::open) << "seed " << seed;
    const Duration left = outage.left();
    EXPECT_EQ(outage.lines(), outage.told) << "seed " << seed << ": " << outage.node().said.back();
    EXPECT_LE(std::chrono::abs(outage.waits_alone() - left), kScatter) << "seed " << seed;
  }
}

TEST(AfterAnOutage, a_ramp_is_where_it_is_for_the_others) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Outage outage(seed);
    ASSERT_TRUE(outage.opened) << "seed " << seed;
    outage.lose();
    outage.callee.failing = 0;
    outage.world.run(kOutage);
    ASSERT_EQ(outage.other().state(kName), State::ramp) << "seed " << seed;
    ASSERT_TRUE(outage.find()) << "seed " << seed;
    EXPECT_EQ(outage.node().state(kName), State::ramp) << "seed " << seed;
    EXPECT_EQ(outage.node().view(kName).allowed, outage.other().view(kName).allowed) << "seed " << seed;
  }
}

io::Task<> change_much(Ref<World> world) {
  const std::unique_ptr<store::Store> store = world->engine.connect_well();
  store::Transaction transaction;
  transaction.writes.push_back(store::Write::erase(override_key(kName)));
  transaction.writes.push_back(store::Write::put(settings_key(kName), R"({"mode":"observe"})"));
  (void)co_await store->commit(std::move(transaction), world->now() + 1s);
  (void)co_await store->compact(world->engine.keyspace().revision(), world->now() + 1s);
  co_await store->close();
}

io::Task<> force_open(Ref<World> world) {
  (void)co_await world->nodes[1]->keeper->force(kName, State::open, "mara", "INC-7", {}, world->now() + 1s);
}

TEST(AfterAnOutage, what_came_and_went_is_known_though_nobody_can_tell_it_any_more) {
  Outage outage(1);
  outage.world.run(force_open(outage.world));
  outage.world.run(1s);
  ASSERT_TRUE(outage.node().view(kName).override.has_value());
  outage.lose();
  outage.world.run(1s);
  outage.world.run(change_much(outage.world));
  outage.world.run(kOutage);
  ASSERT_TRUE(outage.node().view(kName).override.has_value());
  (void)outage.find();
  ASSERT_TRUE(outage.node().keeper->in_touch());
  EXPECT_FALSE(outage.node().view(kName).override.has_value());
  EXPECT_EQ(outage.node().view(kName).mode, breaker::Mode::observe);
}

}  // namespace
}  // namespace holdfast::guard

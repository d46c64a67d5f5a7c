#include "store/lease_keeper.h"

#include <gtest/gtest.h>
#include <memory>

#include "io/stop.h"
#include "store/simulated.h"

namespace holdfast::store {
namespace {

constexpr Duration kTtl = 10s;

// Somebody who keeps a lease, on a cluster in simulated time, and puts "here" under it each time he is told to.
struct World : Pinned {
  explicit World(std::uint64_t seed)
      : loop(io::SimulatedTime{}), engine(loop, seed), store(engine.connect()), puts(loop) {
    const LeaseKeeper::Hooks hooks{[this] { told_held(); }, [this] { ++lost; }};
    keeper = std::make_unique<LeaseKeeper>(loop, *store, kTtl, hooks, seed);
  }

  void told_held();
  bool lives() const { return engine.keyspace().lives(keeper->id()); }
  bool is_put() const {
    const auto here = engine.keyspace().records().find("here");
    return here != engine.keyspace().records().end() && here->second.lease == keeper->id();
  }

  io::Loop loop;
  SimulatedEngine engine;
  std::unique_ptr<Store> store;
  std::unique_ptr<LeaseKeeper> keeper;
  io::Scope puts;
  unsigned held = 0;
  unsigned lost = 0;
  unsigned false_beliefs = 0;  ///< moments at which he relied on a lease that was gone
};

io::Task<> put(Ref<World> world) {
  io::Stop never;
  const LeaseId lease = world->keeper->id();
  while (world->keeper->id() == lease) {
    Transaction transaction;
    transaction.writes.push_back(Write::put("here", "", lease));
    const Result<Outcome> outcome = co_await world->store->commit(std::move(transaction), world->loop.now() + 1s);
    if (outcome && outcome->kind == Outcome::Kind::committed) break;
    if (!outcome && outcome.error().code == Code::missing) world->keeper->look_now();
    co_await io::sleep_until(world->loop, world->loop.now() + 100ms, never);
  }
}

void World::told_held() {
  ++held;
  puts.add(put(*this));
}

io::Task<> live(Ref<World> world, Duration time) {
  io::Stop never;
  const Instant until = world->loop.now() + time;
  while (world->loop.now() < until) {
    co_await io::sleep_until(world->loop, world->loop.now() + 20ms, never);
    if (world->keeper->holds() && !world->lives()) ++world->false_beliefs;
  }
}

io::Task<> end(Ref<World> world) {
  world->keeper->stop();
  co_await world->keeper->idle(kNever);
  co_await world->puts.join(kNever);
  co_await world->store->close();
}

void run(World& world, io::Task<> task) {
  io::Scope tasks(world.loop);
  tasks.add(std::move(task));
  while (tasks.size() != 0) ASSERT_TRUE(world.loop.run_once());
}

Faults nobody_listens() {
  Faults faults;
  faults.refused = 1;
  return faults;
}

TEST(LeaseKeeper, holds_one_lease_for_as_long_as_it_lives_and_gives_it_back) {
  World world(1);
  run(world, live(world, 1s));
  const LeaseId lease = world.keeper->id();
  EXPECT_NE(lease, 0U);
  run(world, live(world, 10min));
  EXPECT_EQ(world.keeper->id(), lease);
  EXPECT_TRUE(world.is_put());
  EXPECT_EQ(world.held, 1U);
  EXPECT_EQ(world.lost, 0U);
  run(world, end(world));
  EXPECT_FALSE(world.engine.keyspace().lives(lease));
  EXPECT_EQ(world.keeper->id(), 0U);
  EXPECT_EQ(world.lost, 0U);
}

TEST(LeaseKeeper, a_store_that_is_gone_for_a_third_of_the_time_costs_nothing) {
  World world(2);
  run(world, live(world, 30s));
  world.engine.suffer(nobody_listens());
  run(world, live(world, kTtl / 3));
  world.engine.heal();
  run(world, live(world, 30s));
  EXPECT_EQ(world.held, 1U);
  EXPECT_EQ(world.lost, 0U);
  run(world, end(world));
}

TEST(LeaseKeeper, stops_relying_on_a_lease_before_it_ends_and_gets_another_later) {
  World world(3);
  run(world, live(world, 30s));
  const LeaseId lease = world.keeper->id();
  world.engine.suffer(nobody_listens());
  run(world, live(world, 60s));
  EXPECT_FALSE(world.keeper->holds());
  EXPECT_EQ(world.lost, 1U);
  world.engine.heal();
  run(world, live(world, 3s));
  EXPECT_TRUE(world.keeper->holds());
  EXPECT_NE(world.keeper->id(), lease);
  EXPECT_EQ(world.held, 2U);
  EXPECT_TRUE(world.is_put());
  EXPECT_EQ(world.false_beliefs, 0U);
  run(world, end(world));
}

TEST(LeaseKeeper, who_hears_that_the_lease_is_gone_has_it_replaced_at_once) {
  World world(4);
  run(world, live(world, 1s));
  const LeaseId lease = world.keeper->id();
  Faults all_revoked;
  all_revoked.false_revoke = 1;
  world.engine.suffer(all_revoked);
  run(world, live(world, 600ms));
  world.engine.heal();
  EXPECT_FALSE(world.engine.keyspace().lives(lease));
  world.keeper->look_now();
  run(world, live(world, 200ms));
  EXPECT_NE(world.keeper->id(), lease);
  EXPECT_TRUE(world.is_put());
  run(world, end(world));
}

TEST(LeaseKeeper, stops_at_once_while_nobody_answers) {
  World world(5);
  run(world, live(world, 1s));
  Faults silence;
  silence.request_lost = 1;
  world.engine.suffer(silence);
  run(world, live(world, 5s));
  const Instant before = world.loop.now();
  run(world, end(world));
  EXPECT_LE(world.loop.now() - before, 5s);
}

TEST(LeaseKeeper, relies_on_no_lease_that_is_gone_whatever_happens_to_the_store) {
  unsigned lost = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    World world(seed);
    Prng prng(seed);
    Faults faults = some_faults(prng);
    faults.false_revoke = 0;  // that no client can help
    world.engine.suffer(faults);
    run(world, live(world, 120s));
    EXPECT_EQ(world.false_beliefs, 0U) << "seed " << seed;
    world.engine.heal();
    run(world, live(world, 20s));
    EXPECT_TRUE(world.keeper->holds()) << "seed " << seed;
    EXPECT_TRUE(world.is_put()) << "seed " << seed;
    lost += world.lost;
    run(world, end(world));
  }
  EXPECT_GT(lost, 10U) << "it was too easy";
}

}  // namespace
}  // namespace holdfast::store

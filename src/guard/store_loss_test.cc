// When the store is lost, nothing opens or closes because of that; each proxy goes on from where all stood.
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <unistd.h>

#include "guard/keys.h"
#include "guard/world_for_tests.h"
#include "store/snapshot_file.h"

namespace holdfast::guard {
namespace {

using breaker::State;

constexpr const char* kName = "profile";

struct StoreLoss : testing::Test {
  World world{11};
  Callee& callee = world.add_callee(kName);

  void begin() {
    world.add_nodes(5, {"z1", "z2"});
    world.call_from_all(kName, 200);
    world.run(10s);
  }
  void open() {
    callee.failing = 1;
    ASSERT_TRUE(world.run_until([this] { return world.all(kName, State::open); }, 2s));
    world.run(100ms);
  }
  void cut(bool is_cut) {
    for (const auto& node : world.nodes) node->link->is_cut = is_cut;
  }
  std::uint64_t refused(Instant since) const { return world.sum(&Flow::refused, kName, since, world.now()); }
};

TEST_F(StoreLoss, costs_no_call_while_closed) {
  begin();
  cut(true);
  const Instant since = world.now();
  world.run(60s);
  EXPECT_EQ(refused(since), 0U);
  EXPECT_EQ(world.sum(&Flow::failed, kName, since, world.now()), 0U);
  EXPECT_FALSE(world.nodes[0]->keeper->in_touch());
  EXPECT_TRUE(world.all(kName, State::closed));
  cut(false);
  world.run(10s);
  EXPECT_TRUE(world.nodes[0]->keeper->in_touch());
  EXPECT_EQ(refused(since), 0U);
}

TEST_F(StoreLoss, what_was_open_closes_also_while_the_store_can_be_read_and_not_written) {
  begin();
  open();
  for (const auto& node : world.nodes) node->link->is_full = true;
  callee.failing = 0;
  EXPECT_TRUE(world.run_until([this] { return world.all(kName, State::closed); }, 60s));
  const Instant since = world.now() + 100ms;
  world.run(60s);
  EXPECT_EQ(refused(since), 0U) << "and stays closed";
  for (const auto& node : world.nodes) node->link->is_full = false;
  world.run(20s);
  EXPECT_EQ(refused(since), 0U) << "also when it can be written again";
  EXPECT_EQ(world.state(kName)->standing.state, State::closed);
}

TEST_F(StoreLoss, what_each_found_well_meanwhile_is_not_refused_once_more) {
  begin();
  open();
  cut(true);
  callee.failing = 0;
  ASSERT_TRUE(world.run_until([this] { return world.all(kName, State::closed); }, 60s));
  const Instant since = world.now() + 100ms;
  cut(false);
  world.run(20s);
  EXPECT_EQ(refused(since), 0U);
  EXPECT_EQ(world.state(kName)->standing.state, State::closed);
}

TEST_F(StoreLoss, each_proxy_still_protects_itself) {
  begin();
  cut(true);
  world.run(10s);
  callee.failing = 1;
  EXPECT_TRUE(world.run_until([this] { return world.all(kName, State::open); }, 1s));
  for (const auto& node : world.nodes) EXPECT_FALSE(node->view(kName).shared);
}

TEST_F(StoreLoss, what_is_open_stays_open_for_its_time_and_is_then_probed_by_each_for_himself) {
  begin();
  open();
  cut(true);
  const Instant since = world.now();
  world.run(1s);
  EXPECT_EQ(world.count(kName, State::closed), 0U);
  EXPECT_EQ(callee.calls.between(since, world.now()), 0U);
  world.run(3s);
  const std::uint64_t probes = callee.calls.between(since, world.now());
  EXPECT_GE(probes, 5U);
  EXPECT_LE(probes, 10U);
  callee.failing = 0;
  EXPECT_TRUE(world.run_until([this] { return world.all(kName, State::closed); }, 30s)) << "it is never stuck";
  cut(false);
  world.run(5s);
  EXPECT_FALSE(world.all(kName, State::open));
  EXPECT_TRUE(world.run_until([this] { return world.all(kName, State::closed); }, 30s)) << "what was shared closes too";
}

TEST_F(StoreLoss, a_ramp_goes_on_from_where_it_is) {
  begin();
  open();
  callee.failing = 0;
  ASSERT_TRUE(world.run_until([this] { return world.all(kName, State::ramp); }, 10s));
  world.run(5s);
  const double allowed = world.nodes[0]->view(kName).allowed;
  cut(true);
  world.run(100ms);
  EXPECT_EQ(world.count(kName, State::ramp), 5U);
  EXPECT_GE(world.nodes[0]->view(kName).allowed, allowed);
  EXPECT_TRUE(world.run_until([this] { return world.all(kName, State::closed); }, 7s));
}

TEST_F(StoreLoss, who_alone_is_cut_off_sees_what_was_decided_when_he_is_back) {
  begin();
  world.nodes[0]->link->is_cut = true;
  world.run(10s);
  callee.failing = 1;
  EXPECT_TRUE(world.run_until([this] { return world.all(kName, State::open); }, 2s));
  world.run(5s);
  world.nodes[0]->link->is_cut = false;
  EXPECT_TRUE(world.run_until([this] { return world.nodes[0]->view(kName).shared; }, 10s));
  EXPECT_EQ(world.nodes[0]->view(kName).epoch, world.state(kName)->standing.epoch);
}

TEST_F(StoreLoss, a_store_that_was_restored_from_a_copy_is_believed) {
  begin();
  const store::Revision before = world.engine.keyspace().revision();
  open();
  world.engine.restore(before);
  for (const auto& node : world.nodes) node->call(kName, 0);
  callee.failing = 0;
  world.run(20s);
  EXPECT_EQ(world.state(kName), std::nullopt);
  EXPECT_FALSE(world.nodes[0]->view(kName).shared);
  world.call_from_all(kName, 200);
  EXPECT_TRUE(world.run_until([this] { return world.all(kName, State::closed); }, 30s));
  callee.failing = 1;
  EXPECT_TRUE(world.run_until([this] { return world.state(kName).has_value(); }, 5s)) << "and shared again";
}

TEST_F(StoreLoss, who_is_left_when_all_leases_end_at_once_is_not_alone) {
  begin();
  for (const auto& node : world.nodes) node->call(kName, 0);
  world.run(60s);
  for (std::size_t i = 1; i < 5; ++i) world.nodes[i]->kill();
  world.run(11s);
  world.nodes[0]->flow(kName).is_cut = true;
  world.nodes[0]->call(kName, 200);
  world.run(5s);
  EXPECT_EQ(world.state(kName), std::nullopt);
  world.run(60s);
  EXPECT_NE(world.state(kName), std::nullopt) << "by now he is";
}

TEST_F(StoreLoss, who_shares_anew_waits_until_what_was_shared_has_ended) {
  begin();
  Node& node = *world.nodes[0];
  const auto open_again = [&node]() -> Result<std::unique_ptr<store::Store>> {
    return std::make_unique<LinkStore>(node.world.loop, node.world.engine.connect_well(), node.link);
  };
  node.keeper->unshare();
  EXPECT_FALSE(node.keeper->is_shared());
  node.keeper->share({open_again, node.name, node.zone, {}});
  EXPECT_TRUE(node.keeper->is_shared());
  world.run(2s);
  EXPECT_TRUE(node.keeper->in_touch());
  node.keeper->unshare();
  node.keeper->share({open_again, node.name, node.zone, {}});
  node.keeper->unshare();
  world.run(2s);
  EXPECT_FALSE(node.keeper->in_touch());
}

TEST_F(StoreLoss, a_log_line_for_each_transition_and_no_more) {
  begin();
  cut(true);
  const std::size_t before = world.nodes[0]->said.size();
  world.run(60s);
  EXPECT_LE(world.nodes[0]->said.size() - before, 2U) << world.nodes[0]->said.back();
  EXPECT_LE(world.nodes[0]->link->requests, 1000U) << "and no hammering";
}

// A snapshot lives in a file, so these look at a directory of their own.
struct Restart : StoreLoss {
  Restart() {
    std::string name = (std::filesystem::temp_directory_path() / "guard_test_XXXXXX").string();
    directory = ::mkdtemp(name.data());
  }
  ~Restart() override { std::filesystem::remove_all(directory); }

  void begin_with_files() {
    world.add_nodes(5, {"z1", "z2"}, false);
    for (const auto& node : world.nodes) {
      node->kill();
      node->snapshot = directory / node->name;
      node->start(true);
    }
    world.call_from_all(kName, 200);
    world.run(10s);
  }
  io::Task<> commit(store::Write write);
  void erase(const std::string& key) { world.run(commit(store::Write::erase(key))); }
  void write(const std::string& key, const std::string& value) { world.run(commit(store::Write::put(key, value))); }

  std::filesystem::path directory;
};

io::Task<> Restart::commit(store::Write write) {
  const std::unique_ptr<store::Store> store = world.engine.connect_well();
  store::Transaction transaction;
  transaction.writes.push_back(std::move(write));
  (void)co_await store->commit(std::move(transaction), world.now() + 1s);
  co_await store->close();
}

TEST_F(Restart, without_the_store_goes_on_with_what_was_known) {
  begin_with_files();
  write(settings_key(kName), R"({"open_for":"20s"})");
  open();
  world.run(1s);
  Node& node = *world.nodes[2];
  node.kill();
  node.link->is_cut = true;
  node.start(true);
  world.run(200ms);
  EXPECT_EQ(node.state(kName), State::open);
  const Instant since = world.now();
  world.run(10s);
  EXPECT_EQ(node.flow(kName).well.between(since, world.now()) + node.flow(kName).failed.between(since, world.now()),
            0U);
  EXPECT_EQ(node.state(kName), State::open) << "for the rest of 20 s";
  world.run(15s);
  EXPECT_GE(node.flow(kName).probes.between(since, world.now()), 1U);
}

// Each write blocks the control loop until it is on the disk, and votes come all the time.
TEST_F(Restart, votes_write_no_file_and_a_step_writes_one_without_them) {
  begin_with_files();
  open();
  world.run(1s);
  const std::filesystem::path file = world.nodes[0]->snapshot;
  const Result<std::optional<store::View>> view = store::load_snapshot(file);
  ASSERT_TRUE(view && view->has_value());
  ASSERT_EQ((*view)->records.size(), 1U);
  EXPECT_EQ((*view)->records[0].key, state_key(kName));
  callee.failing = 0;
  ASSERT_TRUE(world.run_until([this] { return world.all(kName, State::closed); }, 30s));
  world.run(1s);
  ASSERT_TRUE(std::filesystem::remove(file));
  const store::Revision before = world.engine.keyspace().revision();
  world.run(1min);
  EXPECT_GE(world.engine.keyspace().revision(), before + 20) << "votes were refreshed";
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST_F(Restart, what_was_open_a_day_ago_is_not_any_more_but_an_override_is) {
  begin_with_files();
  open();
  world.run(1s);
  for (const auto& node : world.nodes) {
    node->kill();
    node->link->is_cut = true;
    node->clock_off_us = 25LL * 3600 * 1'000'000;
    node->start(true);
  }
  callee.failing = 0;
  world.run(200ms);
  EXPECT_TRUE(world.all(kName, State::closed));

  write(override_key(kName), R"({"state":"open","actor":"mara","reason":"INC-7"})");
  for (const auto& node : world.nodes) node->link->is_cut = false;
  world.run(10s);
  EXPECT_TRUE(world.all(kName, State::open));
  for (const auto& node : world.nodes) {
    node->kill();
    node->link->is_cut = true;
    node->start(true);
  }
  world.run(5s);
  EXPECT_TRUE(world.all(kName, State::open));
}

TEST_F(Restart, a_settings_record_changes_what_a_breaker_does_at_once) {
  begin_with_files();
  write(settings_key(kName), R"({"mode":"observe"})");
  world.run(100ms);
  EXPECT_EQ(world.nodes[0]->view(kName).mode, breaker::Mode::observe);
  callee.failing = 1;
  world.run(5s);
  EXPECT_EQ(world.sum(&Flow::refused, kName, world.start, world.now()), 0U);
  write(settings_key(kName), R"({"mode":"sometimes"})");
  world.run(100ms);
  EXPECT_EQ(world.nodes[0]->view(kName).mode, breaker::Mode::observe) << "what cannot be understood changes nothing";
  write(settings_key(kName), R"({"mode":"enforce","failure_rate":"100%"})");
  world.run(3s);
  EXPECT_TRUE(world.all(kName, State::open));
  write(settings_key(kName), R"({"mode":"off"})");
  world.run(1s);
  EXPECT_TRUE(world.all(kName, State::closed));
}

TEST_F(Restart, settings_that_were_deleted_go_on_for_a_minute) {
  begin_with_files();
  write(settings_key(kName), R"({"mode":"observe"})");
  world.run(1s);
  erase(settings_key(kName));
  world.run(59s);
  EXPECT_EQ(world.nodes[0]->view(kName).mode, breaker::Mode::observe);
  EXPECT_NE(world.nodes[0]->said.back().find("was deleted"), std::string::npos) << world.nodes[0]->said.back();
  world.run(2s);
  EXPECT_EQ(world.nodes[0]->view(kName).mode, breaker::Mode::enforce);
}

}  // namespace
}  // namespace holdfast::guard

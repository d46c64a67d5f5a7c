#include "store/mirror.h"

#include <algorithm>
#include <cstdlib>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "store/simulated.h"
#include "store/snapshot_file.h"

namespace holdfast::store {
namespace {

using Records = std::map<std::string, Record, std::less<>>;

// A mirror of "k/" on a cluster in simulated time, and somebody who writes to it.
struct World : Pinned {
  explicit World(std::uint64_t seed) : loop(io::SimulatedTime{}), engine(loop, seed), writer(engine.connect_well()) {}

  Records truth() const {
    Records records;
    const Result<View> view = engine.keyspace().read("k/", 0);
    for (const Record& record : view->records) records.emplace(record.key, record);
    return records;
  }

  io::Loop loop;
  SimulatedEngine engine;
  std::unique_ptr<Store> writer;
  std::vector<std::string> said;
};

io::Task<> sleep(Ref<World> world, Duration time) {
  io::Stop never;
  co_await io::sleep_until(world->loop, world->loop.now() + time, never);
}

io::Task<> write_for(Ref<World> world, Duration time, std::uint64_t seed) {
  Prng prng(seed);
  const Instant until = world->loop.now() + time;
  while (world->loop.now() < until) {
    const std::string key = "k/" + std::to_string(prng.below(20));
    Transaction transaction;
    transaction.writes.push_back(prng.below(4) == 0 ? Write::erase(key) : Write::put(key, std::to_string(prng.next())));
    Result<Outcome> outcome = co_await world->writer->commit(std::move(transaction), world->loop.now() + 10s);
    if (outcome && prng.below(50) == 0) {
      co_await world->writer->compact(world->engine.keyspace().revision(), world->loop.now() + 10s);
    }
    co_await sleep(world, 1ms * static_cast<int>(prng.below(200)));
  }
}

Mirror::Say say_into(World& world) {
  return [&world](const std::string& line) { world.said.push_back(line); };
}

io::Task<> live_through_faults(Ref<World> world, std::uint64_t seed, int* changes, bool* equal) {
  const std::unique_ptr<Store> store = world->engine.connect();
  {
    const Mirror::Changed changed = [changes](const auto&, Mirror::Heard) { ++*changes; };
    Mirror mirror(world->loop, *store, {"k/", {}}, say_into(*world), changed);
    Prng prng(seed);
    world->engine.suffer(some_faults(prng));
    co_await write_for(world, 60s, seed);
    world->engine.heal();
    co_await sleep(world, 30s);
    *equal = mirror.copy().records() == world->truth();
    mirror.stop();
    co_await mirror.idle(kNever);
  }
  co_await store->close();
}

void run(World& world, io::Task<> task) {
  io::Scope tasks(world.loop);
  tasks.add(std::move(task));
  while (tasks.size() != 0) ASSERT_TRUE(world.loop.run_once());
}

TEST(Mirror, equals_the_store_again_whatever_happened_to_both) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    World world(seed);
    int changes = 0;
    bool equal = false;
    run(world, live_through_faults(world, seed, &changes, &equal));
    EXPECT_TRUE(equal) << "seed " << seed;
    EXPECT_GT(changes, 0) << "seed " << seed;
  }
}

io::Task<> lose_and_find(Ref<World> world, bool* stayed, bool* found, std::vector<Mirror::Heard>* heard) {
  const std::unique_ptr<Store> store = world->engine.connect();
  {
    Mirror mirror(world->loop, *store, {"k/", {}}, say_into(*world),
                  [heard](const auto&, Mirror::Heard how) { heard->push_back(how); });
    co_await write_for(world, 5s, 1);
    co_await sleep(world, 1s);
    const Records before = mirror.copy().records();
    Faults gone;
    gone.refused = 1;
    gone.watch_stalled = 1;
    world->engine.suffer(gone);
    co_await write_for(world, 20s, 2);
    *stayed = mirror.copy().records() == before && !mirror.in_touch();
    world->engine.heal();
    heard->clear();
    co_await sleep(world, 10s);
    co_await write_for(world, 1s, 3);
    co_await sleep(world, 1s);
    *found = mirror.copy().records() == world->truth() && mirror.in_touch();
    mirror.stop();
    co_await mirror.idle(kNever);
  }
  co_await store->close();
}

TEST(Mirror, stays_as_it_is_while_the_store_is_gone_and_says_so_once) {
  World world(7);
  bool stayed = false;
  bool found = false;
  std::vector<Mirror::Heard> heard;
  run(world, lose_and_find(world, &stayed, &found, &heard));
  EXPECT_TRUE(stayed);
  EXPECT_TRUE(found);
  ASSERT_EQ(world.said.size(), 2U);
  EXPECT_NE(world.said[0].find("going on with what is known of k/"), std::string::npos) << world.said[0];
  EXPECT_EQ(world.said[1], "the store is back: k/");
  // What happened meanwhile is told as such, and only that.
  ASSERT_GE(heard.size(), 2U);
  EXPECT_EQ(heard[0], Mirror::Heard::read);
  EXPECT_EQ(std::ranges::count(heard, Mirror::Heard::read), 1);
}

io::Task<> put(Ref<World> world, std::string key, std::string value) {
  Transaction transaction;
  transaction.writes.push_back(value.empty() ? Write::erase(key) : Write::put(key, value));
  (void)co_await world->writer->commit(std::move(transaction), world->loop.now() + 1s);
  co_await sleep(world, 1s);
}

// Whether the file was written is seen by taking it away before.
bool is_written(const std::filesystem::path& file) { return std::filesystem::remove(file); }

std::vector<std::string> keys_in(const std::filesystem::path& file) {
  std::vector<std::string> keys;
  const Result<std::optional<View>> view = load_snapshot(file);
  if (!view || !*view) return keys;
  for (const Record& record : (*view)->records) keys.push_back(record.key);
  return keys;
}

io::Task<> keep_some(Ref<World> world, std::filesystem::path file) {
  using Keys = std::vector<std::string>;
  const std::unique_ptr<Store> store = world->engine.connect_well();
  const auto keeps = [](std::string_view key) { return key.starts_with("k/lasting/"); };
  {
    co_await put(world, "k/lasting/a", "1");
    co_await put(world, "k/fleeting/a", "1");
    Mirror::Options options{"k/", file, keeps};
    Mirror mirror(world->loop, *store, std::move(options), say_into(*world), [](const auto&, Mirror::Heard) {});
    co_await sleep(world, 1s);
    EXPECT_EQ(keys_in(file), Keys{"k/lasting/a"});
    EXPECT_TRUE(is_written(file));
    for (int i = 0; i < 10; ++i) co_await put(world, "k/fleeting/b", std::to_string(i));
    co_await put(world, "k/fleeting/a", "");
    EXPECT_FALSE(is_written(file));
    co_await put(world, "k/lasting/b", "1");
    EXPECT_EQ(keys_in(file), (Keys{"k/lasting/a", "k/lasting/b"}));
    co_await put(world, "k/lasting/a", "");
    EXPECT_EQ(keys_in(file), Keys{"k/lasting/b"});
    EXPECT_EQ(mirror.copy().records(), world->truth());
    mirror.stop();
    co_await mirror.idle(kNever);
  }
  co_await store->close();
}

io::Task<> keep_when_there_is_room(Ref<World> world, std::filesystem::path file) {
  const std::unique_ptr<Store> store = world->engine.connect_well();
  {
    co_await put(world, "k/a", "1");
    Mirror mirror(world->loop, *store, {"k/", file, {}}, say_into(*world), [](const auto&, Mirror::Heard) {});
    co_await sleep(world, 25s);
    EXPECT_EQ(world->said.size(), 1U);
    std::filesystem::create_directory(file.parent_path());
    co_await sleep(world, 11s);
    EXPECT_EQ(keys_in(file), std::vector<std::string>{"k/a"});
    EXPECT_TRUE(is_written(file));
    co_await sleep(world, 60s);
    EXPECT_FALSE(is_written(file));
    mirror.stop();
    co_await mirror.idle(kNever);
  }
  co_await store->close();
}

TEST(Mirror, tries_again_to_write_a_file_that_could_not_be) {
  std::string name = (std::filesystem::temp_directory_path() / "mirror-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(name.data());
  World world(7);
  run(world, keep_when_there_is_room(world, folder / "later" / "k.snapshot"));
  std::filesystem::remove_all(folder);
}

TEST(Mirror, writes_its_file_only_for_what_is_worth_keeping) {
  std::string name = (std::filesystem::temp_directory_path() / "mirror-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(name.data());
  World world(7);
  run(world, keep_some(world, folder / "k.snapshot"));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace holdfast::store

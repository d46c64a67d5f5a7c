#include "upstream/name_keeper.h"

#include <gtest/gtest.h>

#include "io/loop.h"

namespace holdfast::upstream {
namespace {

TEST(NameKeeper, asks_again_when_an_answer_ends_within_bounds) {
  EXPECT_EQ(pause_after_answer(0s), 1s);
  EXPECT_EQ(pause_after_answer(30s), 30s);
  EXPECT_EQ(pause_after_answer(24h), 60s);
}

TEST(NameKeeper, asks_again_later_and_later_after_failures) {
  Prng prng(1);
  const std::array<Duration, 6> least{1s, 2s, 4s, 8s, 15s, 15s};
  for (unsigned i = 0; i < least.size(); ++i) {
    const Duration pause = pause_after_failure(i + 1, prng);
    EXPECT_GE(pause, least[i]);
    EXPECT_LT(pause, least[i] * 5 / 4);
  }
  EXPECT_LT(pause_after_failure(4'000'000'000U, prng), 19s);
}

// A keeper on a loop of its own, with what it said.
struct World : Pinned {
  std::vector<std::string> said;
  int changes = 0;
  io::Loop loop;
  NameKeeper keeper{loop, {}, [this](const std::string& line) { said.push_back(line); }, [this] { ++changes; }};

  ~World() {
    keeper.stop();
    finish(keeper.idle(kNever));
  }

  bool finish(io::Task<bool> task) {
    bool result = false;
    io::Scope tasks(loop);
    tasks.add(keep(std::move(task), &result));
    while (tasks.size() != 0) loop.run_once();
    return result;
  }

 private:
  static io::Task<> keep(io::Task<bool> task, bool* result) {
    const bool value = co_await std::move(task);
    *result = value;
  }
};

TEST(NameKeeper, learns_names_and_forgets_those_that_nobody_uses) {
  World world;
  world.keeper.follow({"localhost", "localhost"});
  EXPECT_TRUE(world.finish(world.keeper.asked_once(kNever)));
  ASSERT_TRUE(world.keeper.known().contains("localhost"));
  EXPECT_EQ(world.keeper.known().at("localhost").front().host, "127.0.0.1");
  EXPECT_EQ(world.changes, 1);
  EXPECT_EQ(world.said, std::vector<std::string>{"name localhost is 127.0.0.1"});
  world.keeper.follow({});
  EXPECT_TRUE(world.keeper.known().empty());
}

TEST(NameKeeper, has_nothing_to_wait_for_without_names) {
  World world;
  EXPECT_TRUE(world.finish(world.keeper.asked_once(kNever)));
}

}  // namespace
}  // namespace holdfast::upstream

#include "io/blocking_work.h"

#include <gtest/gtest.h>
#include <semaphore>
#include <thread>
#include <vector>

#include "io/scope.h"
#include "io/stop.h"

namespace holdfast::io {
namespace {

using namespace std::chrono_literals;

struct Bench : Pinned {
  Loop loop;
  BlockingWork work{loop, "work", [] {}};
  std::binary_semaphore gate{0};
  std::vector<std::string> happened;
};

Task<> go_on_meanwhile(Ref<Bench> bench) {
  Stop never;
  for (int i = 0; i < 3; ++i) co_await sleep_until(bench->loop, bench->loop.now() + 1ms, never);
  bench->happened.emplace_back("the loop went on");
  bench->gate.release();
}

Task<> block(Ref<Bench> bench) {
  const std::thread::id here = std::this_thread::get_id();
  const auto wait = [&gate = bench->gate, here] {
    gate.acquire();
    return std::this_thread::get_id() != here;
  };
  const bool elsewhere = co_await bench->work.run(wait);
  EXPECT_TRUE(elsewhere);
  EXPECT_EQ(std::this_thread::get_id(), here);
  bench->happened.emplace_back("the work was done");
  bench->loop.stop();
}

TEST(BlockingWork, lets_the_loop_go_on) {
  Bench bench;
  Scope scope(bench.loop);
  scope.add(block(bench));
  scope.add(go_on_meanwhile(bench));
  bench.loop.run();
  EXPECT_EQ(bench.happened, (std::vector<std::string>{"the loop went on", "the work was done"}));
}

Task<> take_a_number(Ref<Bench> bench, std::shared_ptr<int> last, int number) {
  const auto take = [last, number] { return std::exchange(*last, number); };
  const int before = co_await bench->work.run(take);
  EXPECT_EQ(before, number - 1);
  if (number == 10) bench->loop.stop();
}

TEST(BlockingWork, does_one_after_the_other) {
  Bench bench;
  Scope scope(bench.loop);
  const auto last = std::make_shared<int>(0);
  for (int i = 1; i <= 10; ++i) scope.add(take_a_number(bench, last, i));
  bench.loop.run();
  EXPECT_EQ(*last, 10);
}

Task<> work_here(Ref<Loop> loop) {
  BlockingWork work(*loop, "work", [] {});
  const auto look = [] { return std::this_thread::get_id(); };
  const std::thread::id where = co_await work.run(look);
  EXPECT_EQ(where, std::this_thread::get_id());
}

TEST(BlockingWork, takes_no_time_where_time_is_simulated) {
  Loop loop{SimulatedTime{}};
  Scope scope(loop);
  const Instant before = loop.now();
  scope.add(work_here(loop));
  EXPECT_EQ(scope.size(), 0U);
  EXPECT_EQ(loop.now(), before);
}

}  // namespace
}  // namespace holdfast::io

#include "io/task.h"

#include <array>
#include <gtest/gtest.h>
#include <memory>
#include <vector>

#include "io/loop.h"
#include "io/scope.h"
#include "io/stop.h"

namespace holdfast::io {
namespace {

Task<int> at_once(int value) { co_return value; }

Task<> sum_many(int count, Ref<Loop> loop, long* sum) {
  for (int i = 0; i < count; ++i) *sum += co_await at_once(1);
  loop->stop();
}

TEST(Task, a_million_awaits_that_never_wait_do_not_grow_the_stack) {
  Loop loop;
  Scope scope(loop);
  long sum = 0;
  scope.add(sum_many(1'000'000, loop, &sum));
  EXPECT_EQ(sum, 1'000'000);
  EXPECT_EQ(scope.size(), 0U);
}

Task<int> after_yield(Ref<Loop> loop, int value) {
  co_await loop->yield();
  co_return value;
}

Task<> sum_parked(int count, Ref<Loop> loop, long* sum) {
  for (int i = 0; i < count; ++i) *sum += co_await after_yield(loop, 1);
  loop->stop();
}

TEST(Task, a_parked_parent_goes_on_when_its_child_ends) {
  Loop loop;
  Scope scope(loop);
  long sum = 0;
  scope.add(sum_parked(10'000, loop, &sum));
  EXPECT_EQ(sum, 0);
  loop.run();
  EXPECT_EQ(sum, 10'000);
}

Task<std::unique_ptr<int>> moved_out() { co_return std::make_unique<int>(7); }

Task<> takes(int* seen) {
  std::unique_ptr<int> value = co_await moved_out();
  *seen = *value;
}

TEST(Task, yields_values_that_only_move) {
  Loop loop;
  Scope scope(loop);
  int seen = 0;
  scope.add(takes(&seen));
  EXPECT_EQ(seen, 7);
}

Task<> sleeper(Ref<Loop> loop, Instant until, Ref<Stop> stop, Instant* woke) {
  co_await sleep_until(loop, until, stop);
  *woke = loop->now();
}

Task<> join_then_stop(Ref<Loop> loop, Ref<Scope> scope, Deadline deadline, bool* joined) {
  *joined = co_await scope->join(deadline);
  loop->stop();
}

TEST(Scope, join_waits_for_every_task) {
  Loop loop;
  Stop stop;
  Scope sleepers(loop);
  Scope waiters(loop);
  std::array<Instant, 3> woke{};
  const Instant start = loop.now();
  for (std::size_t i = 0; i < woke.size(); ++i) {
    sleepers.add(sleeper(loop, start + 1ms * static_cast<long>(i + 1), stop, &woke[i]));
  }
  bool joined = false;
  waiters.add(join_then_stop(loop, sleepers, kNever, &joined));
  loop.run();
  EXPECT_TRUE(joined);
  for (std::size_t i = 0; i < woke.size(); ++i) EXPECT_GE(woke[i], start + 1ms * static_cast<long>(i + 1));
}

TEST(Scope, join_gives_up_at_its_deadline_and_a_stop_ends_every_sleep) {
  Loop loop;
  Stop stop;
  Scope sleepers(loop);
  Scope waiters(loop);
  Instant woke{};
  sleepers.add(sleeper(loop, loop.now() + 1h, stop, &woke));
  bool joined = true;
  waiters.add(join_then_stop(loop, sleepers, loop.now() + 2ms, &joined));
  loop.run();
  EXPECT_FALSE(joined);
  EXPECT_EQ(sleepers.size(), 1U);

  stop.request();
  waiters.add(join_then_stop(loop, sleepers, kNever, &joined));
  loop.run();
  EXPECT_TRUE(joined);
}

}  // namespace
}  // namespace holdfast::io

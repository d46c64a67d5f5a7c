#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "io/loop.h"
#include "io/scope.h"
#include "io/stop.h"

namespace holdfast::io {
namespace {

Task<> note_after(Ref<Loop> loop, Duration pause, std::vector<std::string>* notes, std::string note) {
  Stop stop;
  co_await sleep_until(loop, loop->now() + pause, stop);
  notes->push_back(note + " " + std::to_string((loop->now() - SimulatedTime{}.start) / 1ms));
}

Task<> tick(Ref<Loop> loop, Duration pause, int times, int* ticks) {
  Stop stop;
  for (int i = 0; i < times; ++i) {
    co_await sleep_until(loop, loop->now() + pause, stop);
    ++*ticks;
  }
}

Task<> wait_for(Ref<Signal> signal, Deadline deadline, bool* came) {
  const bool notified = co_await signal->wait(deadline);
  *came = notified;
}

TEST(SimulatedTime, goes_to_the_next_timer_without_waiting) {
  Loop loop(SimulatedTime{});
  Scope scope(loop);
  std::vector<std::string> notes;
  scope.add(note_after(loop, 3h, &notes, "late"));
  scope.add(note_after(loop, 1ms, &notes, "soon"));
  scope.add(note_after(loop, 20s, &notes, "then"));
  const Instant real = read_clock();
  loop.run();
  EXPECT_EQ(notes, (std::vector<std::string>{"soon 1", "then 20000", "late 10800000"}));
  EXPECT_LT(read_clock() - real, 1min);
}

TEST(SimulatedTime, is_the_same_each_time) {
  std::vector<std::string> first;
  for (int round = 0; round < 3; ++round) {
    Loop loop(SimulatedTime{});
    Scope scope(loop);
    std::vector<std::string> notes;
    for (int i = 0; i < 50; ++i) scope.add(note_after(loop, (i * 7919 % 101) * 13ms, &notes, std::to_string(i)));
    loop.run();
    if (round == 0) first = notes;
    EXPECT_EQ(notes, first);
    EXPECT_EQ(notes.size(), 50U);
  }
}

TEST(SimulatedTime, ends_where_nothing_is_left_that_could_happen) {
  Loop loop(SimulatedTime{});
  EXPECT_EQ(loop.now(), SimulatedTime{}.start);
  loop.run();
  while (loop.run_once()) {
  }
  EXPECT_FALSE(loop.run_once());
  EXPECT_EQ(loop.now(), SimulatedTime{}.start);

  Signal signal(loop);
  Scope scope(loop);
  bool came = false;
  scope.add(wait_for(signal, kNever, &came));
  loop.run();  // nobody will ever notify, and it says so
  EXPECT_EQ(scope.size(), 1U);
  signal.notify();
  loop.run();
  EXPECT_TRUE(came);
}

TEST(SimulatedTime, lets_deadlines_pass) {
  Loop loop(SimulatedTime{});
  Signal signal(loop);
  Scope scope(loop);
  bool came = true;
  scope.add(wait_for(signal, loop.now() + 90s, &came));
  loop.run();
  EXPECT_FALSE(came);
  EXPECT_EQ(loop.now(), SimulatedTime{}.start + 90s);
}

TEST(SimulatedTime, has_a_boot_clock_that_runs_along) {
  Loop loop(SimulatedTime{});
  Scope scope(loop);
  int ticks = 0;
  EXPECT_EQ(loop.boot_now(), SimulatedTime{}.boot_start);
  scope.add(tick(loop, 1s, 5000, &ticks));
  loop.run();
  EXPECT_EQ(ticks, 5000);
  EXPECT_EQ(loop.boot_now(), SimulatedTime{}.boot_start + 5000s);
}

TEST(SimulatedTime, is_not_that_of_other_loops) {
  Loop loop;
  const BootInstant before = read_boot_clock();
  const BootInstant now = loop.boot_now();
  const BootInstant after = read_boot_clock();
  EXPECT_GE(now, before);
  EXPECT_LE(now, after);
  EXPECT_GE(loop.exact_now(), loop.now());
}

TEST(SimulatedTime, still_takes_posted_work) {
  Loop loop(SimulatedTime{});
  int done = 0;
  loop.post([&] { ++done; });
  loop.run();
  EXPECT_EQ(done, 1);
}

}  // namespace
}  // namespace holdfast::io

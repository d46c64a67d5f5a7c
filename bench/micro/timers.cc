// Deadlines: set and taken back for every wait, and nearly never due.
#include <benchmark/benchmark.h>
#include <deque>

#include "io/timer_wheel.h"

namespace holdfast::bench {
namespace {

void ignore(io::Timer& /*timer*/) {}

// One timer among as many others as there are connections.
void schedule_and_cancel(benchmark::State& state) {
  Instant now{};
  std::deque<io::Timer> others;
  io::TimerWheel wheel(now);
  for (int i = 0; i < state.range(0); ++i) wheel.schedule(others.emplace_back(&ignore), now + 60s + i * 1ms);
  io::Timer timer(&ignore);
  for (auto _ : state) {
    wheel.schedule(timer, now + 10s);
    timer.cancel();
    now += 10us;
  }
  others.clear();
}
BENCHMARK(schedule_and_cancel)->Name("TimerScheduleAndCancel")->Arg(0)->Arg(64)->Arg(10'000);

// What a loop asks of the wheel in each turn: is anything due, and when to look again.
void advance_and_look(benchmark::State& state) {
  Instant now{};
  std::deque<io::Timer> others;
  io::TimerWheel wheel(now);
  for (int i = 0; i < 10'000; ++i) wheel.schedule(others.emplace_back(&ignore), now + 24h + i * 1ms);
  for (auto _ : state) {
    now += 10us;
    wheel.advance(now);
    benchmark::DoNotOptimize(wheel.next_look());
  }
  others.clear();
}
BENCHMARK(advance_and_look)->Name("TimerAdvanceAndLook");

}  // namespace
}  // namespace holdfast::bench

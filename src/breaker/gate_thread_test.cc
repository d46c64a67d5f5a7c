// Loops ask a gate and report to it while the keeper changes it.
#include <atomic>
#include <gtest/gtest.h>
#include <memory>
#include <thread>
#include <vector>

#include "breaker/circuit.h"

namespace holdfast::breaker {
namespace {

constexpr unsigned kLoops = 3;
constexpr int kCalls = 20'000;
const Instant kStart{1h};

/// One loop's calls, each as long as a step of its clock; some fail, some are cancelled, some are slow.
void make_calls(Circuit& circuit, unsigned loop) {
  Prng prng(loop);
  Meter& meter = circuit.meter(loop);
  Instant now = kStart;
  for (int i = 0; i < kCalls; ++i) {
    const Admission admission = circuit.gate().admit(true, prng);
    if (!admission.passed) {
      meter.count_refusal();
      continue;
    }
    Call call;
    meter.begin(call, admission, now);
    now += Duration(prng.below(12'000'000));
    meter.end(call, static_cast<Outcome>(prng.below(4)), now);
  }
}

TEST(Gate, stays_consistent_when_threads_ask_while_it_changes) {
  Circuit circuit("callee", kLoops);
  circuit.set_slow_call(10ms);
  std::atomic<unsigned> running = kLoops;
  std::vector<std::thread> loops;
  for (unsigned loop = 0; loop < kLoops; ++loop) {
    loops.emplace_back([&circuit, &running, loop] {
      make_calls(circuit, loop);
      running.fetch_sub(1);
    });
  }
  Gate& gate = circuit.gate();
  while (running.load() > 0) {
    gate.begin_generation(0);
    for (int i = 0; i < 50; ++i) {
      gate.offer_probes(1);
      // Each is read at another moment, so only what cannot go down within a generation is compared.
      const unsigned ended = gate.probes_well() + gate.probes_failed();
      EXPECT_LE(ended, 50U);
      EXPECT_LE(gate.probes_taken(), 50U);
    }
    gate.begin_generation(500);
    gate.set_allowed(750);
    gate.begin_generation(Gate::kAll);
    const Tally tally = circuit.tally();
    EXPECT_LE(tally.calls, kLoops * kCalls);
  }
  for (std::thread& loop : loops) loop.join();
  EXPECT_EQ(circuit.in_flight(), 0U);
  const Tally tally = circuit.tally();
  EXPECT_LE(tally.calls + tally.refused, kLoops * kCalls);
  EXPECT_GT(tally.calls, 0U);
}

TEST(Gate, gives_each_probe_to_one_of_the_threads_that_want_it) {
  Gate gate;
  gate.begin_generation(0);
  gate.offer_probes(1'000);
  std::vector<std::thread> loops;
  std::atomic<unsigned> taken = 0;
  for (unsigned loop = 0; loop < kLoops; ++loop) {
    loops.emplace_back([&gate, &taken, loop] {
      Prng prng(loop);
      for (int i = 0; i < 1'000; ++i) {
        const Admission admission = gate.admit(true, prng);
        if (!admission.probe) continue;
        taken.fetch_add(1);
        if (i % 3 == 0) {
          gate.probe_returned(admission.generation);
          taken.fetch_sub(1);
        } else {
          gate.probe_ended(admission.generation, true);
        }
      }
    });
  }
  for (std::thread& loop : loops) loop.join();
  EXPECT_EQ(gate.probes_taken(), taken.load());
  EXPECT_EQ(gate.probes_well(), taken.load());
  EXPECT_EQ(gate.probes_offered() + gate.probes_taken(), 1'000U);
}

}  // namespace
}  // namespace holdfast::breaker

// What the breakers of a process cost its control loop: one look at all of them, twenty times a second, while each is
// called.
#include "guard/keeper.h"

#include <benchmark/benchmark.h>
#include <memory>
#include <string>
#include <vector>

#include "breaker/circuit.h"

namespace holdfast::bench {
namespace {

constexpr Duration kLook = 50ms;

/// So many breakers; each has had a call since the last look.
void look(benchmark::State& state) {
  io::Loop loop(io::SimulatedTime{});
  guard::Keeper keeper(loop, 1, [](const std::string&) {}, {.seed = 1});
  std::vector<guard::Wanted> wanted;
  for (int i = 0; i < state.range(0); ++i) wanted.push_back({"service-" + std::to_string(i), {}});
  keeper.follow(wanted);
  std::vector<std::shared_ptr<breaker::Circuit>> circuits;
  for (const guard::Wanted& each : wanted) circuits.push_back(keeper.circuit(each.name));
  Prng prng(1);
  for (auto _ : state) {
    state.PauseTiming();
    for (const auto& circuit : circuits) {
      breaker::Call call;
      circuit->meter(0).begin(call, circuit->gate().admit(true, prng), loop.now());
      circuit->meter(0).end(call, breaker::Outcome::success, loop.now());
    }
    state.ResumeTiming();
    const Instant until = loop.now() + kLook;
    while (loop.now() < until) loop.run_once();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  keeper.stop();
  while (loop.run_once()) {
  }
}
BENCHMARK(look)->Name("Breaker/look at all")->Arg(10)->Arg(1000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace holdfast::bench

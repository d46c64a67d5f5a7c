// What a breaker costs a call: the question whether it may pass, and the account of how it went.
#include <benchmark/benchmark.h>
#include <memory>
#include <vector>

#include "breaker/circuit.h"

namespace holdfast::bench {
namespace {

using breaker::Admission;
using breaker::Call;
using breaker::Circuit;
using breaker::Outcome;

const Instant kNow{1h};

void ask(benchmark::State& state) {
  Circuit circuit("callee", 1);
  Prng prng(1);
  const auto allowed = static_cast<unsigned>(state.range(0));
  circuit.gate().begin_generation(allowed);
  for (auto _ : state) benchmark::DoNotOptimize(circuit.gate().admit(true, prng));
}
BENCHMARK(ask)->Name("Breaker/ask")->Arg(1000)->Arg(500)->Arg(0);

/// With so many other calls in flight.
void call(benchmark::State& state) {
  Circuit circuit("callee", 1);
  circuit.set_slow_call(1s);
  Prng prng(1);
  breaker::Meter& meter = circuit.meter(0);
  std::vector<std::unique_ptr<Call>> others;
  for (int i = 0; i < state.range(0); ++i) {
    others.push_back(std::make_unique<Call>());
    meter.begin(*others.back(), circuit.gate().admit(true, prng), kNow);
  }
  for (auto _ : state) {
    const Admission admission = circuit.gate().admit(true, prng);
    Call call;
    meter.begin(call, admission, kNow);
    meter.end(call, Outcome::success, kNow);
  }
}
BENCHMARK(call)->Name("Breaker/ask, begin and end")->Arg(0)->Arg(100);

}  // namespace
}  // namespace holdfast::bench

// What the client library costs a call: the question whether it may be made, the account of how it went, and both
// clocks.
#include <benchmark/benchmark.h>

#include "guarded.h"
#include "holdfast/breakers.h"

namespace holdfast::bench {
namespace {

// Nobody listens there: the library knows of no breaker, and counts all the same.
BreakersOptions nowhere() {
  BreakersOptions options;
  options.api = "127.0.0.1:1";
  return options;
}

void call(benchmark::State& state) {
  static Breakers breakers(nowhere());
  Breaker& callee = breakers.to("callee");
  for (auto _ : state) {
    BreakerCall one(callee);
    one.succeeded();
  }
}
BENCHMARK(call)->Name("Client/ask, begin and end")->Threads(1)->Threads(2);

void refused(benchmark::State& state) {
  sdk::Guarded guarded("callee", Instant{1h}, 1);
  sdk::Report report;
  report.forced = sdk::Report::Forced{breaker::State::open, "anna", "a test", {}};
  guarded.hear(report, Instant{1h}, 0);
  guarded.look(Instant{1h});
  for (auto _ : state) {
    breaker::Call one;
    benchmark::DoNotOptimize(guarded.begin(one, 0, true, Instant{1h}));
  }
}
BENCHMARK(refused)->Name("Client/refused");

}  // namespace
}  // namespace holdfast::bench

// One pick and its release, by every algorithm, among 3, 10 and 100 members.
#include <benchmark/benchmark.h>
#include <deque>
#include <string>

#include "balance/balancer.h"
#include "base/hash.h"

namespace holdfast::bench {
namespace {

using balance::Algorithm;

void pick(benchmark::State& state, Algorithm algorithm) {
  std::deque<balance::Load> loads;
  std::vector<balance::Member> members;
  for (int i = 0; i < state.range(0); ++i) {
    balance::Load& load = loads.emplace_back();
    load.limit = 1024;
    members.push_back({hash64("service/10.0.0." + std::to_string(i)), 1, &load});
  }
  balance::Balancer balancer({algorithm, 0}, std::move(members), 1);
  balancer.prepare();
  Prng prng(1);
  Instant now{};
  for (auto _ : state) {
    balance::Question question;
    if (balance::is_hash(algorithm)) question.hash = prng.next();
    const balance::Pick picked = balancer.pick(question, now, prng);
    benchmark::DoNotOptimize(picked);
    balance::Load& load = loads[picked.index];
    if (algorithm == Algorithm::peak_ewma) balance::observe(load, 1ms, false, now);
    balance::release(load);
    now += 10us;
  }
}

void all_sizes(benchmark::internal::Benchmark* benchmark) { benchmark->Arg(3)->Arg(10)->Arg(100); }

BENCHMARK_CAPTURE(pick, round_robin, Algorithm::round_robin)->Apply(all_sizes);
BENCHMARK_CAPTURE(pick, weighted_round_robin, Algorithm::weighted_round_robin)->Apply(all_sizes);
BENCHMARK_CAPTURE(pick, least_connections, Algorithm::least_connections)->Apply(all_sizes);
BENCHMARK_CAPTURE(pick, two_choices, Algorithm::two_choices)->Apply(all_sizes);
BENCHMARK_CAPTURE(pick, peak_ewma, Algorithm::peak_ewma)->Apply(all_sizes);
BENCHMARK_CAPTURE(pick, random, Algorithm::random)->Apply(all_sizes);
BENCHMARK_CAPTURE(pick, maglev, Algorithm::maglev)->Apply(all_sizes);
BENCHMARK_CAPTURE(pick, ring, Algorithm::ring)->Apply(all_sizes);

}  // namespace
}  // namespace holdfast::bench

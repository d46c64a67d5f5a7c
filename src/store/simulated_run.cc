#include "store/simulated_run.h"

#include <algorithm>

#include "base/check.h"
#include "base/hash.h"
#include "io/loop.h"
#include "store/history_check.h"
#include "store/simulated.h"

namespace holdfast::store {
namespace {

/// One turn is a timer at least; a run has some thousands.
constexpr int kTurnsMax = 10'000'000;

void run_to_end(io::Loop& loop, io::Task<> task) {
  io::Scope scope(loop);
  scope.add(std::move(task));
  for (int turns = 0; scope.size() != 0; ++turns) {
    check(turns < kTurnsMax, "a simulation comes to an end");
    check(loop.run_once(), "something is left to happen");
  }
}

std::uint64_t digest_of(const History& history, std::uint64_t digest) {
  for (const Call& call : history.calls) digest = hash64(describe(call), digest);
  for (const WatchSeen& watch : history.watches) {
    for (const WatchSeen::Delivery& each : watch.deliveries) {
      digest = hash64(std::to_string(each.batch.revision), digest ^ each.batch.events.size());
    }
  }
  return digest;
}

}  // namespace

SimulatedRun run_seed(std::uint64_t seed, Breakage breakage, Workload workload) {
  Prng prng(seed);
  // A broken store is to be found out by what is broken, not to be hidden by what else goes wrong.
  Faults faults = breakage == Breakage::none ? some_faults(prng) : Faults{};
  const bool restores = breakage == Breakage::none && prng.below(8) == 0;
  io::Loop loop(io::SimulatedTime{});
  SimulatedEngine engine(loop, prng.next(), faults, breakage);
  SimulatedRun run;
  const Allowances allowed{.false_revoke = faults.false_revoke > 0};
  for (int world = 0; world < (restores ? 2 : 1); ++world) {
    if (world == 1) {
      const Keyspace& keyspace = engine.keyspace();
      const Revision least = std::max<Revision>(keyspace.compacted(), 1);
      engine.restore(least + prng.below(keyspace.revision() - least + 1));
    }
    engine.suffer(faults);
    RandomHistory random(
        loop, prng.next(), workload, [&] { return engine.connect(); }, [&] { return engine.connect_well(); });
    run_to_end(loop, random.run([&] { engine.heal(); }));
    run.findings = judge(random.history(), allowed);
    std::ranges::copy(random.complaints(), std::back_inserter(run.findings));
    run.digest = digest_of(random.history(), run.digest);
    run.history = random.history();
    if (!run.findings.empty()) break;
  }
  run.happened = engine.happened();
  run.digest ^= engine.digest();
  return run;
}

}  // namespace holdfast::store

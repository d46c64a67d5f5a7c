#include "engine_torture.h"

#include <algorithm>
#include <cstdio>

namespace holdfast::sim {

store::Workload real_workload() {
  store::Workload workload;
  workload.lasts = kRound;
  workload.pause_max = 50ms;
  workload.settles_in = 20s;
  workload.longest_lease = 4s;
  return workload;
}

bool tell_round(std::uint64_t seed, const store::RandomHistory& random, const store::History& history,
                store::Allowances allowed) {
  std::size_t unknown = 0;
  std::size_t committed = 0;
  for (const store::Call& call : history.calls) {
    const auto* const commit = std::get_if<store::CommitSeen>(&call.what);
    if (commit == nullptr || !commit->outcome) continue;
    if (commit->outcome->kind == store::Outcome::Kind::unknown) ++unknown;
    if (commit->outcome->kind == store::Outcome::Kind::committed) ++committed;
  }
  const auto stale = std::ranges::count(history.watches, true, &store::WatchSeen::stale);
  std::printf("seed %llu: %zu calls, %zu committed, %zu unknown, %zu watches, %zu stale\n",
              static_cast<unsigned long long>(seed), history.calls.size(), committed, unknown, history.watches.size(),
              static_cast<std::size_t>(stale));
  std::vector<std::string> findings = store::judge(history, allowed);
  std::ranges::copy(random.complaints(), std::back_inserter(findings));
  for (const std::string& each : findings) std::printf("  %s\n", each.c_str());
  std::fflush(stdout);
  return findings.empty();
}

}  // namespace holdfast::sim

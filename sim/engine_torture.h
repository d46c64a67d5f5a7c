// Faults on real engines, in real time: processes that are killed, members that are killed and frozen. What the
// clients saw is judged like that of the simulated store.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "store/history.h"
#include "store/history_check.h"
#include "store/random_history.h"

namespace holdfast::sim {

/// How long one history lasts; more of them follow until the time is over.
inline constexpr Duration kRound = 20s;

store::Workload real_workload();
/// Prints a round and what was wrong with it.
/// Returns whether nothing was.
bool tell_round(std::uint64_t seed, const store::RandomHistory& random, const store::History& history,
                store::Allowances allowed);

/// Several clients here and writers in processes of their own, which are killed in the midst of it.
int torture_sqlite(Duration lasts, std::uint64_t seed);
/// One such writer: puts, and writes down into `log` what it did. Ends only by being killed.
int write_until_killed(const std::string& file, const std::string& log, std::uint64_t number);

/// Three members, which are killed, frozen and, with root, cut off from each other and from their clients.
int torture_etcd(Duration lasts, std::uint64_t seed);

}  // namespace holdfast::sim

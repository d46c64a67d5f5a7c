#include "breaker/vote.h"

#include <algorithm>
#include <set>
#include <string_view>

namespace holdfast::breaker {
namespace {

/// Those of one mind, added up.
struct Camp {
  unsigned votes = 0;
  std::uint64_t calls = 0;
  std::set<std::string_view> zones{};
  const Vote* loudest = nullptr;  ///< who made most calls

  void add(const Vote& vote) {
    ++votes;
    calls += vote.calls;
    zones.insert(vote.zone);
    if (loudest == nullptr || vote.calls > loudest->calls) loudest = &vote;
  }
};

/// How many must say so.
unsigned quorum(unsigned with_calls, unsigned voters, State state) {
  const unsigned needed = std::max({std::min(kQuorumMin, voters), (with_calls + 1) / 2, 1U});
  return state == State::ramp ? (needed + 1) / 2 : needed;
}

}  // namespace

Quorum count_votes(std::span<const Vote> votes, unsigned voters, const Standing& standing) {
  if (standing.state == State::open || standing.state == State::half_open) return {false, "it is open already"};
  Camp all;
  Camp bad;
  for (const Vote& vote : votes) {
    if (vote.epoch != standing.epoch || vote.opinion == Opinion::none) continue;
    all.add(vote);
    if (vote.opinion == Opinion::bad && !vote.self_suspect) bad.add(vote);
  }
  const std::string count = std::to_string(bad.votes) + " of " + std::to_string(all.votes) + " proxies";
  if (bad.votes == 0) return {false, count};

  const unsigned needed = quorum(all.votes, voters, standing.state);
  if (bad.votes < needed) return {false, count + ", " + std::to_string(needed) + " are needed"};
  if (voters >= 2 && all.votes == 1) return {false, count + ": no other one has calls"};
  if (bad.calls * 2 < all.calls) return {false, count + ", with fewer than half of the calls"};
  // Where one vote is enough it cannot be asked to come from two zones.
  const std::size_t zones = std::min<std::size_t>({2, all.zones.size(), needed});
  if (bad.zones.size() < zones) return {false, count + ", all in one zone"};
  return {true, count + ": " + bad.loudest->why};
}

}  // namespace holdfast::breaker

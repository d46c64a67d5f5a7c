// Votes: whether a service is down for everyone, or only for some of us.
//
// One observer may be sick, or its way may be. So a breaker that all share trips when enough of those who see calls say
// so: two at least and half of them, who made at least half of the calls, from more than one zone if there are several.
// Who suspects himself is not believed. A proxy that is alone in the cluster decides alone; one that is alone in seeing
// calls decides for itself only. While it ramps up after an outage, half as many are enough.
// Source: research on shared breakers, section 4.3 (docs/decisions/0007).
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "breaker/judge.h"
#include "breaker/standing.h"

namespace holdfast::breaker {

inline constexpr unsigned kQuorumMin = 2;

struct Vote {
  std::string node{};
  std::string zone{};
  Opinion opinion = Opinion::none;
  std::uint64_t calls = 0;  ///< in its window
  std::uint64_t failures = 0;
  std::uint64_t slow = 0;
  bool self_suspect = false;
  std::uint64_t epoch = 0;  ///< under which its calls were made; a vote of another epoch says nothing
  std::string why{};

  bool operator==(const Vote&) const = default;
};

struct Quorum {
  bool bad = false;
  std::string why{};  ///< "3 of 5 proxies: 20 of 20 calls took longer than 300ms", or why it is not enough
};

/// `voters`: nodes that are alive, whether they have calls or not. Only closed and ramp can be voted open.
Quorum count_votes(std::span<const Vote> votes, unsigned voters, const Standing& standing);

}  // namespace holdfast::breaker

// by_identity: members in the order of their identities, as hash tables are built, so that no order of a file matters.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "balance/member.h"

namespace holdfast::balance {

struct Placed {
  std::uint64_t seed;    ///< what the member's places are drawn from
  std::uint32_t member;  ///< its index
};

/// Members with a weight. Those of equal identity (an address listed twice) get different seeds.
std::vector<Placed> by_identity(std::span<const Member> members);

}  // namespace holdfast::balance

// Member: one endpoint as a balancer sees it, and the numbers that bound a set of them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "balance/load.h"

namespace holdfast::balance {

/// One endpoint. Members are fixed while a balancer lives; only their shares change.
struct Member {
  std::uint64_t identity = 0;  ///< hash of service and address: the same after a reload, whatever the position
  std::uint32_t weight = 1;    ///< 0: configured, but never picked
  Load* load = nullptr;        ///< outlives the balancer
};

/// A share of a member's weight: 0 takes no part, kWholeShare takes full part, slow start lies between.
inline constexpr std::uint16_t kWholeShare = 256;

// With these two the sums of smooth round robin stay far inside 64 bits.
inline constexpr std::uint32_t kMaxWeight = 65'535;
inline constexpr std::size_t kMaxMembers = 16'384;

}  // namespace holdfast::balance

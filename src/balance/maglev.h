// Maglev: consistent hashing through a table of prime size; even to a slot, and a lookup is one load.
//
// Built over all configured members, whether healthy or not: what is out is skipped by the caller, who hashes again, so
// that only its own keys move. The order of the members does not matter, only their identities and weights.
// Source: Eisenbud and others, "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI 2016, section 3.4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "balance/member.h"

namespace holdfast::balance {

/// The paper's two sizes, both prime. 100 slots per member keep the imbalance below 1 %.
inline constexpr std::size_t kMaglevSize = 65'537;
inline constexpr std::size_t kMaglevLargeSize = 655'373;
/// Above this many members the large table is used.
inline constexpr std::size_t kMaglevSmallMembers = 600;

class Maglev {
 public:
  explicit Maglev(std::span<const Member> members);
  Maglev(std::span<const Member> members, std::size_t size);

  /// Requires: at least one member with a weight.
  std::uint32_t lookup(std::uint64_t hash) const {
    __extension__ using Wide = unsigned __int128;
    return slots_[static_cast<std::size_t>((static_cast<Wide>(hash) * slots_.size()) >> 64)];
  }

  std::span<const std::uint16_t> slots() const { return slots_; }

 private:
  std::vector<std::uint16_t> slots_;
};

}  // namespace holdfast::balance

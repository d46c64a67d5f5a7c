// Ring: consistent hashing on a circle with virtual nodes. Moves fewer keys than Maglev, is less even and slower.
// Source: Karger and others 1997; 160 points per unit of weight as in ketama.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "balance/member.h"

namespace holdfast::balance {

inline constexpr std::uint32_t kRingPointsPerWeight = 160;
/// Heavier rings get fewer points per weight instead of more memory.
inline constexpr std::size_t kRingMaxPoints = std::size_t{1} << 20;

class Ring {
 public:
  explicit Ring(std::span<const Member> members);
  Ring(std::span<const Member> members, std::uint32_t points_per_weight);

  /// The owner of the first point at or after `hash`.
  /// Requires: at least one member with a weight.
  std::uint32_t lookup(std::uint64_t hash) const;

  std::size_t points() const { return points_.size() - 1; }

 private:
  struct Point {
    std::uint64_t place;
    std::uint32_t member;
  };
  std::vector<Point> points_;          ///< by place; the first one stands at the end again, to wrap around
  std::vector<std::uint32_t> starts_;  ///< first point of each equal part of the circle
  int shift_ = 63;                     ///< place >> shift_ is its part
};

}  // namespace holdfast::balance

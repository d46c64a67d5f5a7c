#include "balance/ring.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "balance/by_identity.h"
#include "balance/mix.h"

namespace holdfast::balance {

Ring::Ring(std::span<const Member> members) : Ring(members, kRingPointsPerWeight) {}

Ring::Ring(std::span<const Member> members, std::uint32_t points_per_weight) {
  std::uint64_t wanted = 0;
  for (const Member& member : members) wanted += std::uint64_t{member.weight} * points_per_weight;
  const double scale =
      wanted <= kRingMaxPoints ? 1.0 : static_cast<double>(kRingMaxPoints) / static_cast<double>(wanted);
  for (const Placed& placed : by_identity(members)) {
    const double points = scale * members[placed.member].weight * points_per_weight;
    const std::uint64_t count = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(points));
    for (std::uint64_t i = 0; i < count; ++i) points_.push_back({mix(placed.seed, i), placed.member});
  }
  // Two points in one place are rare; the stable sort then keeps the order of identities.
  std::ranges::stable_sort(points_, {}, &Point::place);

  const std::size_t parts = std::bit_ceil(std::max<std::size_t>(points_.size(), 2));
  shift_ = 64 - std::countr_zero(parts);
  std::uint32_t point = 0;
  for (std::uint64_t part = 0; part < parts; ++part) {
    while (point < points_.size() && points_[point].place < part << shift_) ++point;
    starts_.push_back(point);
  }
  points_.push_back({std::numeric_limits<std::uint64_t>::max(), points_.empty() ? 0 : points_.front().member});
}

std::uint32_t Ring::lookup(std::uint64_t hash) const {
  std::size_t point = starts_[hash >> shift_];
  while (points_[point].place < hash) ++point;
  return points_[point].member;
}

}  // namespace holdfast::balance

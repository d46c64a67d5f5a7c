#include "balance/hash_table.h"

#include <algorithm>

#include "base/hash.h"

namespace holdfast::balance {
namespace {

std::uint64_t mix(std::uint64_t value, std::uint64_t seed) {
  return hash64({reinterpret_cast<const char*>(&value), sizeof value}, seed);
}

}  // namespace

void HashTable::build_maglev(std::span<const Entry> members) {
  constexpr std::uint32_t kFree = ~std::uint32_t{0};
  const std::uint32_t size = members.size() > kManyMembers ? kLargeMaglevSize : kMaglevSize;
  slots_.assign(size, kFree);
  if (members.empty()) return;

  struct Turn {
    std::uint64_t next;
    std::uint64_t skip;
    double credit = 0;
    double gain = 0;
  };
  std::uint32_t heaviest = 1;
  for (const Entry& member : members) heaviest = std::max(heaviest, member.weight);
  std::vector<Turn> turns;
  turns.reserve(members.size());
  for (const Entry& member : members) {
    turns.push_back({.next = mix(member.identity, 1) % size,
                     .skip = mix(member.identity, 2) % (size - 1) + 1,
                     .gain = static_cast<double>(member.weight) / heaviest});
  }
  for (std::uint32_t filled = 0; filled < size;) {
    for (std::uint32_t i = 0; i < turns.size() && filled < size; ++i) {
      Turn& turn = turns[i];
      turn.credit += turn.gain;
      if (turn.credit < 1.0) continue;
      turn.credit -= 1.0;
      while (slots_[turn.next] != kFree) turn.next = (turn.next + turn.skip) % size;
      slots_[turn.next] = i;
      ++filled;
    }
  }
}

void HashTable::build_ring(std::span<const Entry> members) {
  std::uint64_t weight = 0;
  for (const Entry& member : members) weight += member.weight;
  const std::uint64_t each =
      std::max<std::uint64_t>(1, std::min<std::uint64_t>(kPointsPerWeight, kPointsMax / std::max<std::uint64_t>(weight, 1)));
  points_.clear();
  points_.reserve(weight * each);
  for (std::uint32_t i = 0; i < members.size(); ++i) {
    for (std::uint64_t point = 0; point < members[i].weight * each; ++point) {
      points_.push_back({mix(members[i].identity, point + 3), i});
    }
  }
  std::sort(points_.begin(), points_.end(), [](const Point& a, const Point& b) {
    return a.at != b.at ? a.at < b.at : a.member < b.member;
  });
}

std::size_t HashTable::member(std::uint64_t key, std::uint32_t attempt) const {
  if (!slots_.empty()) {
    const std::uint64_t hash = attempt == 0 ? key : mix(key, attempt);
    return slots_[hash % slots_.size()];
  }
  const auto first = std::lower_bound(points_.begin(), points_.end(), key,
                                      [](const Point& point, std::uint64_t at) { return point.at < at; });
  const auto start = static_cast<std::size_t>(first - points_.begin());
  return points_[(start + attempt) % points_.size()].member;
}

}  // namespace holdfast::balance

// HashTable: keys to members so that a key keeps its member when another one comes or goes. Two algorithms:
//   Maglev: a table in which each member holds its part to within a slot; one lookup per pick.
//           Source: Eisenbud et al. 2016, "Maglev", section 3.4; weights as in Envoy: turns in proportion.
//   ring:   kPointsPerWeight points per unit of weight on a circle; fewer keys move when members change.
//           Source: Karger et al. 1997.
// Built from all configured members, in or out: one that is out is passed over by the caller, so health moves only the
// keys of the sick.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace holdfast::balance {

class HashTable {
 public:
  static constexpr std::uint32_t kMaglevSize = 65537;
  static constexpr std::uint32_t kLargeMaglevSize = 655373;  ///< for more than kManyMembers: still 100 slots each
  static constexpr std::size_t kManyMembers = 600;
  static constexpr std::uint32_t kPointsPerWeight = 160;
  static constexpr std::uint32_t kPointsMax = 1 << 20;

  struct Entry {
    std::uint64_t identity;
    std::uint32_t weight;
  };

  void build_maglev(std::span<const Entry> members);
  void build_ring(std::span<const Entry> members);
  bool built() const { return !slots_.empty() || !points_.empty(); }

  /// The members for a key in the order in which they are to be asked: the `attempt`-th one.
  std::size_t member(std::uint64_t key, std::uint32_t attempt) const;

  std::span<const std::uint32_t> slots() const { return slots_; }

 private:
  struct Point {
    std::uint64_t at;
    std::uint32_t member;
  };

  std::vector<std::uint32_t> slots_;
  std::vector<Point> points_;
};

}  // namespace holdfast::balance

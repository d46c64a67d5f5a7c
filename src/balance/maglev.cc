#include "balance/maglev.h"

#include <algorithm>

#include "balance/by_identity.h"
#include "balance/mix.h"

namespace holdfast::balance {
namespace {

constexpr std::uint16_t kEmpty = 0xffff;
static_assert(kMaxMembers < kEmpty);

/// One member's way through the table: all slots, in an order of its own, because the size is prime.
struct Preferences {
  std::uint64_t next;
  std::uint64_t skip;
  std::uint64_t weight;
  std::uint64_t turns_begin_at;  ///< weighted turns: takes a slot when round x weight has reached this
  std::uint16_t member;
};

}  // namespace

Maglev::Maglev(std::span<const Member> members)
    : Maglev(members, members.size() > kMaglevSmallMembers ? kMaglevLargeSize : kMaglevSize) {}

Maglev::Maglev(std::span<const Member> members, std::size_t size) : slots_(size, kEmpty) {
  std::vector<Preferences> all;
  std::uint64_t heaviest = 0;
  for (const Placed& placed : by_identity(members)) {
    const std::uint32_t weight = members[placed.member].weight;
    all.push_back({mix(placed.seed, 0) % size, mix(placed.seed, 1) % (size - 1) + 1, weight, 0,
                   static_cast<std::uint16_t>(placed.member)});
    heaviest = std::max<std::uint64_t>(heaviest, weight);
  }
  if (all.empty()) {
    std::ranges::fill(slots_, std::uint16_t{0});
    return;
  }
  std::size_t filled = 0;
  for (std::uint64_t round = 1;; ++round) {
    for (Preferences& each : all) {
      // The heaviest takes a slot in each round, one of half its weight in every other.
      if (round * each.weight < each.turns_begin_at) continue;
      each.turns_begin_at += heaviest;
      while (slots_[each.next] != kEmpty) {
        each.next += each.skip;
        if (each.next >= size) each.next -= size;
      }
      slots_[each.next] = each.member;
      if (++filled == size) return;
    }
  }
}

}  // namespace holdfast::balance

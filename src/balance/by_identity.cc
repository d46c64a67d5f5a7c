#include "balance/by_identity.h"

#include <algorithm>
#include <tuple>

#include "balance/mix.h"

namespace holdfast::balance {

std::vector<Placed> by_identity(std::span<const Member> members) {
  std::vector<Placed> placed;
  for (std::uint32_t i = 0; i < members.size(); ++i) {
    if (members[i].weight != 0) placed.push_back({members[i].identity, i});
  }
  std::ranges::sort(
      placed, [](const Placed& a, const Placed& b) { return std::tie(a.seed, a.member) < std::tie(b.seed, b.member); });
  std::uint64_t previous = 0;
  std::uint64_t twins = 0;
  for (std::size_t i = 0; i < placed.size(); ++i) {
    const std::uint64_t identity = placed[i].seed;
    twins = i != 0 && identity == previous ? twins + 1 : 0;
    placed[i].seed = mix(identity, twins);
    previous = identity;
  }
  return placed;
}

}  // namespace holdfast::balance

// Fleet: members with loads of their own, for tests.
#pragma once

#include <deque>
#include <initializer_list>
#include <vector>

#include "balance/balancer.h"
#include "base/hash.h"

namespace holdfast::balance {

struct Fleet {
  std::deque<Load> loads;
  std::vector<Member> members;

  Fleet(std::initializer_list<std::uint32_t> weights) {
    for (const std::uint32_t weight : weights) add(weight);
  }
  explicit Fleet(std::size_t count, std::uint32_t limit = 0) {
    for (std::size_t i = 0; i < count; ++i) {
      add(1);
      loads.back().limit = limit;
    }
  }

  void add(std::uint32_t weight) {
    loads.emplace_back();
    const std::string name = "service/10.0.0." + std::to_string(members.size());
    members.push_back(Member{hash64(name), weight, &loads.back()});
  }
};

/// `count` picks, each released at once, as letters: "aabacaa".
inline std::string letters(Balancer& balancer, int count, Prng& prng) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    const Pick pick = balancer.pick({}, Instant{}, prng);
    if (pick) release(*balancer.members()[pick.index].load);
    text += pick ? static_cast<char>('a' + pick.index) : '-';
  }
  return text;
}

}  // namespace holdfast::balance

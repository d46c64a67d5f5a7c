#include "guard/suspicion.h"

#include <algorithm>

namespace holdfast::guard {

bool says_unreachable(const breaker::Window& recent, bool before) {
  bool says = before;
  recent.any_recent([&says](const breaker::Tally& newest) {
    if (newest.calls < kNewestCalls) return false;
    says = newest.unreachable * 5 > newest.calls * 4;
    return true;
  });
  return says;
}

// One that refuses everything because it is bad has traffic too.
void Suspicion::add(const breaker::Tally& recent, bool is_unreachable) {
  if (recent.calls == 0 && recent.refused == 0) return;
  ++busy_;
  if (is_unreachable) ++unreachable_;
}

bool Trips::may_open(std::size_t all, Instant now) {
  std::erase_if(opened_, [now](const auto& each) { return now - each.second > kMemory; });
  return opened_.size() < std::max(kAlways, all * kPercent / 100);
}

}  // namespace holdfast::guard

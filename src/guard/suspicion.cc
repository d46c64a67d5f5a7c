#include "guard/suspicion.h"

#include <algorithm>

namespace holdfast::guard {

void Suspicion::add(breaker::Opinion opinion, const breaker::Tally& recent) {
  const bool is_bad = opinion == breaker::Opinion::bad;
  // One that refuses everything because it is bad has traffic too.
  if (recent.calls == 0 && recent.refused == 0) return;
  ++busy_;
  if (is_bad && recent.unreachable * 2 > recent.failures) ++unreachable_;
}

bool Trips::may_open(std::size_t all, Instant now) {
  std::erase_if(opened_, [now](const auto& each) { return now - each.second > kMemory; });
  return opened_.size() < std::max(kAlways, all * kPercent / 100);
}

}  // namespace holdfast::guard

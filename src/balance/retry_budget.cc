#include "balance/retry_budget.h"

#include <algorithm>

namespace holdfast::balance {

RetryBudget::Slot& RetryBudget::slot_at(Instant now) {
  constexpr Duration kSlotLength = kRetryWindow / static_cast<int>(kSlots);
  const std::int64_t second = std::max<std::int64_t>(now.time_since_epoch() / kSlotLength, newest_);
  newest_ = second;
  Slot& slot = slots_[static_cast<std::size_t>(second) % kSlots];
  if (slot.second == second) return slot;
  // A new slice begins: whatever left the window is taken out of the sums.
  for (Slot& each : slots_) {
    if (each.second + static_cast<std::int64_t>(kSlots) > second) continue;
    requests_ -= each.requests;
    retries_ -= each.retries;
    each = Slot{};
  }
  slot.second = second;
  return slot;
}

void RetryBudget::count_request(Instant now) {
  ++slot_at(now).requests;
  ++requests_;
}

std::uint64_t RetryBudget::left(Instant now) {
  slot_at(now);
  const std::uint64_t allowed = requests_ * percent_ / 100 + kRetryFloor;
  return allowed > retries_ ? allowed - retries_ : 0;
}

bool RetryBudget::charge(Instant now) {
  if (left(now) == 0) return false;
  ++slot_at(now).retries;
  ++retries_;
  return true;
}

std::string RetryBudget::validate() const {
  std::uint64_t requests = 0;
  std::uint64_t retries = 0;
  for (const Slot& slot : slots_) {
    requests += slot.requests;
    retries += slot.retries;
    if (slot.second > newest_) return "no slice lies in the future";
  }
  if (requests != requests_ || retries != retries_) return "the sums are those of the slices";
  return {};
}

std::string RetryBudget::describe() const {
  return std::to_string(retries_) + " retries for " + std::to_string(requests_) + " requests in the last 10s";
}

}  // namespace holdfast::balance

#include "balance/retry_throttle.h"

#include <algorithm>

namespace holdfast::balance {
namespace {

constexpr std::uint32_t kFailureTenths = 10;
constexpr std::uint32_t kSuccessTenths = 1;

}  // namespace

void RetryThrottle::count_success() { tenths_ = std::min(tenths_ + kSuccessTenths, kTenthsMax); }

void RetryThrottle::count_failure() { tenths_ -= std::min(tenths_, kFailureTenths); }

std::string RetryThrottle::validate() const {
  return tenths_ <= kTenthsMax ? std::string() : "there are no more tokens than at first";
}

std::string RetryThrottle::describe() const {
  return std::to_string(tenths_ / 10) + "." + std::to_string(tenths_ % 10) + " of 10 tokens" +
         (allows() ? "" : ": no retries");
}

}  // namespace holdfast::balance

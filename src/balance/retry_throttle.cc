#include "balance/retry_throttle.h"

#include <algorithm>

namespace holdfast::balance {

void RetryThrottle::count_success() { tokens_ = std::min(tokens_ + 1, kTokensMax); }

void RetryThrottle::count_failure() { tokens_ -= std::min(tokens_, 1U); }

std::string RetryThrottle::validate() const {
  return tokens_ <= kTokensMax ? std::string() : "there are no more tokens than at first";
}

std::string RetryThrottle::describe() const {
  return std::to_string(tokens_) + " of " + std::to_string(kTokensMax) + " tokens" + (allows() ? "" : ": no retries");
}

}  // namespace holdfast::balance

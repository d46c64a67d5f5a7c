#include "balance/round_robin.h"

#include <algorithm>

namespace holdfast::balance {

void RoundRobin::set_weights(std::span<const std::uint32_t> weights) {
  weights_.assign(weights.begin(), weights.end());
  gained_.resize(weights_.size(), 0);
  total_ = 0;
  std::uint32_t common = 0;
  equal_ = true;
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    total_ += weights_[i];
    if (weights_[i] == 0) {
      gained_[i] = 0;
    } else if (common == 0) {
      common = weights_[i];
    } else {
      equal_ = equal_ && weights_[i] == common;
    }
  }
  if (cursor_ >= weights_.size()) cursor_ = 0;
}

void RoundRobin::skip(std::uint64_t turns) {
  if (weights_.empty()) return;
  if (equal_) {
    cursor_ = (cursor_ + static_cast<std::size_t>(turns % weights_.size())) % weights_.size();
    return;
  }
  for (std::uint64_t i = 0; i < turns % static_cast<std::uint64_t>(std::max<std::int64_t>(total_, 1)) && i < 1000; ++i) {
    (void)next([](std::size_t) { return true; });
  }
}

}  // namespace holdfast::balance

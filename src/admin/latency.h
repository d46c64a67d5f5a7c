// LatencyBuckets: latency histograms of all loops added up, in the few coarse steps that a metric can afford.
//
// The loops' own histograms have 264 buckets; as many time series per service would cost Prometheus more than they
// tell. The steps are powers of two of microseconds because those are borders of the fine buckets: every count is
// exact.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/histogram.h"
#include "base/time.h"

namespace holdfast::admin {

class LatencyBuckets {
 public:
  static constexpr unsigned kFirstPower = 6;  ///< 64 us: less than a proxied request takes
  static constexpr unsigned kLastPower = 26;  ///< 67 s: more than a request is given by default
  static constexpr std::size_t kBounds = kLastPower - kFirstPower + 1;

  /// Where bucket `index` ends; it is itself the beginning of the next one.
  static constexpr Duration bound(std::size_t index) { return 1us * (std::int64_t{1} << (kFirstPower + index)); }

  void add(const Histogram& histogram);

  /// How many took less than bound(index).
  std::uint64_t below(std::size_t index) const { return below_[index]; }
  std::uint64_t count() const { return count_; }
  Duration sum() const { return sum_; }

 private:
  std::array<std::uint64_t, kBounds> below_{};
  std::uint64_t count_ = 0;
  Duration sum_{};
};

}  // namespace holdfast::admin

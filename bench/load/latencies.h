// Latencies: counts durations in steps of 1/128 of their size, so a quantile is off by less than 1 %. The proxy's own
// histogram (base/histogram.h) is eight times coarser, too coarse to tell two proxies apart.
// Source: the layout of HdrHistogram, with 7 bits of precision.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "base/time.h"

namespace holdfast::bench {

class Latencies {
 public:
  Latencies() : counts_((kPowers + 1) << kBits) {}

  void record(Duration latency) {
    ++counts_[bucket_of(static_cast<std::uint64_t>(std::max<Duration::rep>(latency.count(), 0)))];
    ++total_;
    longest_ = std::max(longest_, latency);
  }
  void clear() { *this = Latencies{}; }

  std::uint64_t total() const { return total_; }
  Duration longest() const { return longest_; }

  /// The duration that a share of all (0.99) did not exceed; zero when there are none.
  Duration quantile(double share) const {
    auto left = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(total_)));
    for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) {
      if (counts_[bucket] >= left) return left == 0 ? Duration::zero() : std::min(end_of(bucket), longest_);
      left -= counts_[bucket];
    }
    return longest_;
  }

 private:
  static constexpr unsigned kBits = 7;
  static constexpr unsigned kPowers = 33;  // up to 2^40 ns, some 18 minutes

  static std::size_t bucket_of(std::uint64_t ns) {
    if (ns < (1U << kBits)) return static_cast<std::size_t>(ns);
    const auto power = static_cast<unsigned>(std::bit_width(ns)) - 1 - kBits;
    if (power >= kPowers) return ((kPowers + 1) << kBits) - 1;
    return ((std::size_t{power} + 1) << kBits) + ((ns >> power) & ((1U << kBits) - 1));
  }
  static Duration end_of(std::size_t bucket) {
    if (bucket < (1U << kBits)) return Duration(static_cast<Duration::rep>(bucket));
    const std::size_t power = (bucket >> kBits) - 1;
    const std::size_t steps = (1U << kBits) + (bucket & ((1U << kBits) - 1)) + 1;
    return Duration(static_cast<Duration::rep>(steps << power));
  }

  std::vector<std::uint64_t> counts_;
  std::uint64_t total_ = 0;
  Duration longest_{};
};

}  // namespace holdfast::bench

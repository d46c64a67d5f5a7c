// Histogram: how often which duration. Log-linear: eight equal steps within each power of two of microseconds, so a
// quantile is off by at most 1/8. Written by one thread, read by any; recording is a shift and an increment.
// Source: the layout of HdrHistogram, with 3 bits of precision.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/counter.h"
#include "base/time.h"

namespace holdfast {

class Histogram {
 public:
  static constexpr unsigned kPrecisionBits = 3;
  static constexpr unsigned kPowers = 32;  ///< up to 2^34 us, over four hours; longer counts as that
  static constexpr std::size_t kBuckets = (kPowers + 1) << kPrecisionBits;

  /// Which bucket a duration belongs to. Below 8 us buckets are 1 us wide.
  static std::size_t bucket_of(Duration duration) {
    const auto us = static_cast<std::uint64_t>(std::max<Duration::rep>(duration / 1us, 0));
    if (us < (1U << kPrecisionBits)) return static_cast<std::size_t>(us);
    const auto power = static_cast<unsigned>(std::bit_width(us)) - 1 - kPrecisionBits;
    const std::size_t step = static_cast<std::size_t>(us >> power) & ((1U << kPrecisionBits) - 1);
    return std::min(((static_cast<std::size_t>(power) + 1) << kPrecisionBits) + step, kBuckets - 1);
  }
  /// The first duration that is beyond a bucket.
  static Duration upper_bound(std::size_t bucket) {
    constexpr std::size_t kSteps = std::size_t{1} << kPrecisionBits;
    if (bucket < kSteps) return 1us * static_cast<Duration::rep>(bucket + 1);
    const std::size_t power = (bucket >> kPrecisionBits) - 1;
    const std::size_t steps = kSteps + (bucket & (kSteps - 1)) + 1;
    return 1us * static_cast<Duration::rep>(steps << power);
  }

  void record(Duration duration) {
    buckets_[bucket_of(duration)].add();
    sum_ns_.add(static_cast<std::uint64_t>(std::max<Duration::rep>(duration.count(), 0)));
  }

  std::uint64_t count_in(std::size_t bucket) const { return buckets_[bucket].get(); }
  Duration sum() const { return Duration(static_cast<Duration::rep>(sum_ns_.get())); }

 private:
  std::array<Counter, kBuckets> buckets_;
  Counter sum_ns_;
};

}  // namespace holdfast

#include "admin/latency.h"

#include <gtest/gtest.h>

namespace holdfast::admin {
namespace {

TEST(Latency, steps_are_borders_of_the_fine_buckets) {
  for (std::size_t i = 0; i < LatencyBuckets::kBounds; ++i) {
    const std::size_t last = Histogram::bucket_of(LatencyBuckets::bound(i)) - 1;
    EXPECT_EQ(Histogram::upper_bound(last), LatencyBuckets::bound(i)) << i;
  }
}

TEST(Latency, a_duration_counts_below_each_bound_above_it) {
  for (std::size_t i = 0; i < LatencyBuckets::kBounds; ++i) {
    Histogram histogram;
    histogram.record(LatencyBuckets::bound(i) - 1us);
    histogram.record(LatencyBuckets::bound(i));
    histogram.record(LatencyBuckets::bound(i) + 1us);
    LatencyBuckets buckets;
    buckets.add(histogram);
    EXPECT_EQ(buckets.below(i), 1U) << i;
    if (i + 1 < LatencyBuckets::kBounds) {
      EXPECT_EQ(buckets.below(i + 1), 3U) << i;
    }
    EXPECT_EQ(buckets.count(), 3U);
  }
}

TEST(Latency, histograms_of_all_loops_add_up) {
  Histogram one;
  Histogram other;
  one.record(1ms);
  other.record(100ms);
  other.record(5min);
  LatencyBuckets buckets;
  buckets.add(one);
  buckets.add(other);
  EXPECT_EQ(buckets.count(), 3U);
  EXPECT_EQ(buckets.below(LatencyBuckets::kBounds - 1), 2U);  // what is beyond every bound is in the count alone
  EXPECT_EQ(buckets.sum(), 101ms + 5min);
}

}  // namespace
}  // namespace holdfast::admin

#include "base/histogram.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

TEST(Histogram, a_bucket_ends_where_the_next_begins_and_is_an_eighth_wide_at_most) {
  for (std::size_t bucket = 0; bucket + 1 < Histogram::kBuckets; ++bucket) {
    const Duration end = Histogram::upper_bound(bucket);
    EXPECT_EQ(Histogram::bucket_of(end - 1ns), bucket);
    EXPECT_EQ(Histogram::bucket_of(end), bucket + 1);
    if (bucket >= 8) {
      EXPECT_LE((Histogram::upper_bound(bucket) - Histogram::upper_bound(bucket - 1)) * 8, end);
    }
  }
}

TEST(Histogram, what_is_too_long_counts_in_the_last_bucket) {
  Histogram histogram;
  histogram.record(std::chrono::hours(1000));
  histogram.record(-5ns);
  EXPECT_EQ(histogram.count_in(Histogram::kBuckets - 1), 1U);
  EXPECT_EQ(histogram.count_in(0), 1U);
}

}  // namespace
}  // namespace holdfast

#include "admin/latency.h"

namespace holdfast::admin {

void LatencyBuckets::add(const Histogram& histogram) {
  std::uint64_t seen = 0;
  std::size_t fine = 0;
  for (std::size_t i = 0; i < kBounds; ++i) {
    for (const std::size_t end = Histogram::bucket_of(bound(i)); fine < end; ++fine) seen += histogram.count_in(fine);
    below_[i] += seen;
  }
  for (; fine < Histogram::kBuckets; ++fine) seen += histogram.count_in(fine);
  count_ += seen;
  sum_ += histogram.sum();
}

}  // namespace holdfast::admin

// Callee: a service in simulated time: it answers so many calls a second, each after its latency, the rest wait in
// line; or it fails, or it hangs. What really arrived there is counted in tenths of a second: the truth that breakers
// are judged by.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "base/time.h"

namespace holdfast::guard {

/// Sums by tenths of a second.
class Course {
 public:
  explicit Course(Instant start) : start_(start) {}

  void add(Instant now) {
    const auto at = static_cast<std::size_t>((now - start_) / 100ms);
    if (sums_.size() <= at) sums_.resize(at + 1);
    ++sums_[at];
  }
  std::uint64_t between(Instant from, Instant to) const {
    std::uint64_t sum = 0;
    for (Instant at = from; at < to; at += 100ms) {
      const auto slice = static_cast<std::size_t>((at - start_) / 100ms);
      if (slice < sums_.size()) sum += sums_[slice];
    }
    return sum;
  }

 private:
  Instant start_;
  std::vector<std::uint64_t> sums_;
};

class Callee {
 public:
  explicit Callee(Instant start) : calls(start), line_ends_(start) {}

  struct Answer {
    Duration after{};
    bool well = true;
  };

  Answer call(Instant now, Prng& prng) {
    calls.add(now);
    if (hangs || (hanging > 0 && prng.uniform() < hanging)) return {1h, false};
    if (prng.uniform() < failing) return {fails_after, false};
    if (capacity == nullptr) return {latency, true};
    // One after the other; who waits longer than patience is not answered at all.
    line_ends_ = std::max(line_ends_, now) + Duration(static_cast<Duration::rep>(1e9 / std::max(capacity(now), 0.1)));
    if (line_ends_ - now > patience) {
      line_ends_ = now + patience;
      return {fails_after, false};
    }
    return {line_ends_ - now + latency, true};
  }

  double failing = 0;  ///< chance
  double hanging = 0;  ///< chance
  bool hangs = false;
  Duration latency = 5ms;
  Duration fails_after = 2ms;
  Duration patience = 2s;
  std::function<double(Instant)> capacity{};  ///< calls a second; null: any number

  Course calls;  ///< that arrived

 private:
  Instant line_ends_;
};

}  // namespace holdfast::guard

// Tally: calls under one breaker, counted. As Meter counts them up, as a Window sums them.
#pragma once

#include <cstdint>

namespace holdfast::breaker {

struct Tally {
  std::uint64_t calls = 0;        ///< that ended, or are slow already
  std::uint64_t failures = 0;     ///< unreachable ones included
  std::uint64_t unreachable = 0;  ///< failures that say as much about the way there, or about us
  std::uint64_t slow = 0;         ///< took longer than slow_call, whether they have ended or not
  std::uint64_t refused = 0;      ///< by the breaker; no calls

  Tally& operator+=(const Tally& other);
  Tally& operator-=(const Tally& other);
  bool operator==(const Tally&) const = default;
};

inline Tally& Tally::operator+=(const Tally& other) {
  calls += other.calls;
  failures += other.failures;
  unreachable += other.unreachable;
  slow += other.slow;
  refused += other.refused;
  return *this;
}

inline Tally& Tally::operator-=(const Tally& other) {
  calls -= other.calls;
  failures -= other.failures;
  unreachable -= other.unreachable;
  slow -= other.slow;
  refused -= other.refused;
  return *this;
}

}  // namespace holdfast::breaker

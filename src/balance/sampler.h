// Sampler: draws a member by weight in constant time.
// Source: Walker's alias method, in Vose's form (1991).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/prng.h"

namespace holdfast::balance {

class Sampler {
 public:
  /// Requires: weights of the members to draw from, none of them 0.
  void set_weights(std::span<const std::uint32_t> weights);

  std::size_t size() const { return columns_.size(); }

  /// A position in the weights, each with its weight's probability.
  /// Requires: size() > 0.
  std::uint32_t draw(Prng& prng) const;

 private:
  /// A column is `own` up to `threshold` of 2^32 and `other` above.
  struct Column {
    std::uint64_t threshold;
    std::uint32_t other;
  };
  std::vector<Column> columns_;
};

}  // namespace holdfast::balance

#include "balance/sampler.h"

namespace holdfast::balance {

namespace {
constexpr std::uint64_t kOne = std::uint64_t{1} << 32;
}

void Sampler::set_weights(std::span<const std::uint32_t> weights) {
  const std::uint64_t count = weights.size();
  columns_.assign(weights.size(), Column{kOne, 0});
  std::uint64_t total = 0;
  for (const std::uint32_t weight : weights) total += weight;
  // Each column holds `total` parts; a member brings weight x count of them. The poor are filled up by the rich.
  std::vector<std::uint64_t> parts;
  std::vector<std::uint32_t> poor;
  std::vector<std::uint32_t> rich;
  for (std::uint32_t i = 0; i < count; ++i) {
    parts.push_back(weights[i] * count);
    (parts[i] < total ? poor : rich).push_back(i);
  }
  while (!poor.empty() && !rich.empty()) {
    const std::uint32_t needy = poor.back();
    const std::uint32_t giver = rich.back();
    poor.pop_back();
    const double filled = static_cast<double>(parts[needy]) / static_cast<double>(total);
    columns_[needy] = Column{static_cast<std::uint64_t>(filled * static_cast<double>(kOne)), giver};
    parts[giver] -= total - parts[needy];
    if (parts[giver] < total) {
      rich.pop_back();
      poor.push_back(giver);
    }
  }
}

std::uint32_t Sampler::draw(Prng& prng) const {
  __extension__ using Wide = unsigned __int128;
  // One draw gives both: the column from the whole part, where in the column from the fraction that remains.
  const Wide scaled = static_cast<Wide>(prng.next()) * columns_.size();
  const auto column = static_cast<std::uint32_t>(scaled >> 64);
  const std::uint64_t place = static_cast<std::uint64_t>(scaled) >> 32;
  return place < columns_[column].threshold ? column : columns_[column].other;
}

}  // namespace holdfast::balance

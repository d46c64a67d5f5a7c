// The one hash of the house: xxHash's XXH3, 64 bits. Not for adversaries who know the seed.
#pragma once

#define XXH_INLINE_ALL
#include <cstdint>
#include <string_view>
#include <xxhash.h>

namespace holdfast {

inline std::uint64_t hash64(std::string_view bytes, std::uint64_t seed = 0) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace holdfast

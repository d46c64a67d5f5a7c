// Counters written by different loops live on lines of their own, or the loops would wait for each other's caches.
#pragma once

#include <cstddef>

namespace holdfast {

inline constexpr std::size_t kCacheLine = 64;

}  // namespace holdfast

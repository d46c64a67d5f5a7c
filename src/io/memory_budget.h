// MemoryBudget: what the buffers of all loops may take together. Loops touch the counter only when a pool of theirs
// grows or shrinks, so on the way of a request it is a line of cache that nobody writes.
//
// The last quarter is kept for what has begun: a newcomer who is turned away costs less than a request that is broken
// off. From the half on, pools keep nothing back, so that memory goes to whoever needs it.
#pragma once

#include <atomic>
#include <cstddef>
#include <limits>

#include "base/cache_line.h"
#include "base/pinned.h"

namespace holdfast::io {

/// For whom memory is taken.
enum class Taker : unsigned char { newcomer, begun };

class MemoryBudget : Pinned {
 public:
  static constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max() / 4;

  explicit MemoryBudget(std::size_t bytes = kUnlimited) : bytes_(bytes) {}

  /// Any thread, at any time. What is taken already stays taken.
  void set(std::size_t bytes) { bytes_.store(bytes, std::memory_order_relaxed); }
  std::size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  std::size_t taken() const { return taken_.load(std::memory_order_relaxed); }

  /// False: there is not so much left for that taker, and nothing was taken.
  bool take(std::size_t bytes, Taker taker) {
    const std::size_t before = taken_.fetch_add(bytes, std::memory_order_relaxed);
    if (before + bytes <= bound(taker)) return true;
    give(bytes);
    return false;
  }
  void give(std::size_t bytes) { taken_.fetch_sub(bytes, std::memory_order_relaxed); }

  bool open_for_newcomers() const { return taken() < bound(Taker::newcomer); }
  /// Nothing is kept for later.
  bool tight() const { return taken() > bytes() / 2; }

 private:
  std::size_t bound(Taker taker) const { return taker == Taker::begun ? bytes() : bytes() - bytes() / 4; }

  std::atomic<std::size_t> bytes_;
  alignas(kCacheLine) std::atomic<std::size_t> taken_ = 0;
};

}  // namespace holdfast::io

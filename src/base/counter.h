// Counter: counted by one thread, read by any. No lock prefix: an increment is a load and a store.
#pragma once

#include <atomic>
#include <cstdint>

namespace holdfast {

class Counter {
 public:
  /// Requires: always the same thread.
  void add(std::uint64_t n = 1) { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  void subtract(std::uint64_t n = 1) { add(~n + 1); }
  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

}  // namespace holdfast

// BufferPool: receive buffers of one size, one pool per loop. The last one returned is the next one lent, still warm in
// the cache. An idle connection holds none.
//
// All pools draw on one budget (memory_budget.h). When that is used up nothing is lent: the buffer is then empty, and
// whoever asked says so to its client.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/pinned.h"
#include "io/memory_budget.h"

namespace holdfast::io {

class BufferPool;

/// A lent buffer; returns by itself. Empty when default-built, moved from, or refused.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept
      : memory_(std::move(other.memory_)), size_(std::exchange(other.size_, 0)), pool_(other.pool_) {}
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer() { give_back(); }

  std::span<char> all() const { return {memory_.get(), size_}; }
  char* data() const { return memory_.get(); }
  std::size_t size() const { return size_; }
  explicit operator bool() const { return memory_ != nullptr; }

 private:
  friend class BufferPool;
  Buffer(std::unique_ptr<char[]> memory, std::size_t size, BufferPool* pool)
      : memory_(std::move(memory)), size_(size), pool_(pool) {}
  void give_back();

  std::unique_ptr<char[]> memory_;
  std::size_t size_ = 0;
  BufferPool* pool_ = nullptr;
};

class BufferPool : Pinned {
 public:
  /// Keeps at most `keep` returned buffers; more are freed.
  /// Requires: `budget` outlives the pool, the pool its buffers.
  BufferPool(std::size_t buffer_bytes, std::size_t keep, MemoryBudget& budget)
      : buffer_bytes_(buffer_bytes), keep_(keep), budget_(&budget) {}
  ~BufferPool() { free_all(); }

  std::size_t buffer_bytes() const { return buffer_bytes_; }

  Buffer lend(Taker taker = Taker::begun);
  /// One of another size: for a head that does not fit, or for what waits long. It is freed when returned.
  Buffer lend_sized(std::size_t bytes, Taker taker = Taker::begun);

  /// Frees what is kept for later, if others need it.
  void trim() {
    if (budget_->tight()) free_all();
  }

 private:
  friend class Buffer;
  void free_all();

  std::size_t buffer_bytes_;
  std::size_t keep_;
  MemoryBudget* budget_;
  std::vector<std::unique_ptr<char[]>> free_;
};

inline Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this != &other) {
    give_back();
    memory_ = std::move(other.memory_);
    size_ = std::exchange(other.size_, 0);
    pool_ = other.pool_;
  }
  return *this;
}

inline void Buffer::give_back() {
  if (memory_ == nullptr) return;
  if (size_ == pool_->buffer_bytes_ && pool_->free_.size() < pool_->keep_ && !pool_->budget_->tight()) {
    pool_->free_.push_back(std::move(memory_));
  } else {
    memory_.reset();
    pool_->budget_->give(size_);
  }
}

inline Buffer BufferPool::lend(Taker taker) {
  if (free_.empty()) return lend_sized(buffer_bytes_, taker);
  Buffer buffer(std::move(free_.back()), buffer_bytes_, this);
  free_.pop_back();
  return buffer;
}

inline Buffer BufferPool::lend_sized(std::size_t bytes, Taker taker) {
  if (!budget_->take(bytes, taker)) {
    free_all();
    if (!budget_->take(bytes, taker)) return {};
  }
  return {std::make_unique_for_overwrite<char[]>(bytes), bytes, this};
}

inline void BufferPool::free_all() {
  budget_->give(free_.size() * buffer_bytes_);
  free_.clear();
}

}  // namespace holdfast::io

// BufferPool: receive buffers of one size, one pool per loop. The last one returned is the next one lent, still warm in
// the cache. An idle connection holds none.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/pinned.h"

namespace holdfast::io {

class BufferPool;

/// A lent buffer; returns by itself. Empty when default-built or moved from.
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
  BufferPool(std::size_t buffer_bytes, std::size_t keep) : buffer_bytes_(buffer_bytes), keep_(keep) {}

  std::size_t buffer_bytes() const { return buffer_bytes_; }

  Buffer lend();
  /// One that is larger than the pool's, for a head that does not fit; it is freed when returned.
  Buffer lend_large(std::size_t bytes);

 private:
  friend class Buffer;
  std::size_t buffer_bytes_;
  std::size_t keep_;
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
  if (size_ == pool_->buffer_bytes_ && pool_->free_.size() < pool_->keep_) {
    pool_->free_.push_back(std::move(memory_));
  } else {
    memory_.reset();
  }
}

inline Buffer BufferPool::lend() {
  if (free_.empty()) return lend_large(buffer_bytes_);
  Buffer buffer(std::move(free_.back()), buffer_bytes_, this);
  free_.pop_back();
  return buffer;
}

inline Buffer BufferPool::lend_large(std::size_t bytes) {
  return Buffer(std::make_unique_for_overwrite<char[]>(bytes), bytes, this);
}

}  // namespace holdfast::io

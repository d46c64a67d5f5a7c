// Outbox: bytes on their way to a peer. What the kernel takes at once is gone; only the rest is copied, and waits for a
// coroutine that can wait. Most messages never see the copy.
#pragma once

#include <cerrno>
#include <span>
#include <string>

#include "io/stream.h"

namespace holdfast::proxy {

class Outbox {
 public:
  /// Sends now what can be sent now, behind what is kept. After an error everything is dropped.
  void send(io::Stream& to, std::span<const char> bytes) {
    if (error_ != 0) return;
    io::Moved moved;
    if (rest_.empty()) moved = to.try_write(bytes);
    sent_ += moved.bytes;
    if (!moved.ok() && moved.error != EAGAIN) {
      error_ = moved.error;
    } else if (moved.bytes < bytes.size()) {
      rest_.append(bytes.data() + moved.bytes, bytes.size() - moved.bytes);
    }
  }

  /// What is kept: to be written by whoever waits, who then says what came of it.
  std::span<const char> rest() const { return rest_; }
  void flushed(const io::Moved& moved) {
    sent_ += moved.bytes;
    error_ = moved.error;
    rest_ = {};  // a long wait may follow, and the copy was as large as a buffer
  }

  bool empty() const { return rest_.empty(); }
  /// errno of the first failure; 0: none.
  int error() const { return error_; }
  /// Bytes that the kernel took.
  std::size_t sent() const { return sent_; }

  /// For the next message.
  void reset() {
    rest_.clear();
    sent_ = 0;
    error_ = 0;
  }

 private:
  std::string rest_;
  std::size_t sent_ = 0;
  int error_ = 0;
};

}  // namespace holdfast::proxy

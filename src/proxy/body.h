// Bodies on their way through: BodyReader finds where one ends, frame() puts it into the framing of the other side, and
// relay_body() moves what has not arrived yet, a bounded buffer at a time, as fast as the slower side allows.
//
// Both directions use the same three: nothing here knows requests from responses.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "http/chunk_writer.h"
#include "http/chunked.h"
#include "http/head.h"
#include "io/buffer_pool.h"
#include "io/stream.h"
#include "io/task.h"
#include "proxy/pace.h"

namespace holdfast::proxy {

/// Takes a body out of the bytes received (RFC 9112 6.3).
class BodyReader {
 public:
  void start(http::Framing framing, std::uint64_t content_length, const http::Limits& limits);

  struct Piece {
    std::span<char> data;      ///< of the body, inside the bytes given
    std::size_t consumed = 0;  ///< bytes used up; the rest belongs to whatever follows the body
    std::string_view error;    ///< the framing is broken: nothing may be reused
  };
  Piece take(std::span<char> received);

  /// The body is complete.
  bool done() const { return done_; }
  /// The sender closed: the end of a body that lasts until then; too early for any other.
  /// Returns whether the body is complete.
  bool sender_closed();

  http::Framing framing() const { return framing_; }
  /// Data bytes so far.
  std::uint64_t bytes() const { return bytes_; }
  std::string_view trailers() const { return chunked_ == nullptr ? std::string_view{} : chunked_->trailers(); }

 private:
  http::Framing framing_ = http::Framing::none;
  bool done_ = true;
  std::uint64_t left_ = 0;
  std::uint64_t bytes_ = 0;
  std::unique_ptr<http::ChunkedDecoder> chunked_;  ///< null for every other framing
};

/// Frames `data` where it lies. Returns what is to be sent: possibly nothing, when there is no data and no end to mark.
/// Requires: for chunked, kChunkHeadroom before the data and kChunkTailroom + trailers.size() behind it.
std::span<char> frame(http::Framing framing, std::span<char> data, bool last, std::string_view trailers);

/// Why a relay ended before the end of the body.
enum class RelayEnd : unsigned char {
  complete,
  sender_gone,    ///< it closed or was reset
  sender_slow,    ///< it stalled, or fell behind its rate
  sender_broken,  ///< its framing is wrong
  receiver_gone,  ///< it closed or was reset
  receiver_slow,  ///< it stalled, or fell behind its rate
  too_large,
  too_late,   ///< the deadline of the whole passed
  no_memory,  ///< there was no buffer left to go on in
};

struct Relay {
  http::Framing framing = http::Framing::length;  ///< towards the receiver
  Duration stall_timeout{};                       ///< between two pieces, in either direction
  Rate sender_rate{};
  Rate receiver_rate{};
  std::uint64_t bytes_max = ~std::uint64_t{0};
  Deadline deadline{};  ///< of the whole, however lively it is; kNever: there is none
};

/// Memory a relay works in.
struct Room {
  io::BufferPool& pool;
  io::Buffer& buffer;       ///< given back while nothing is there to move, so that a sender that pauses holds none
  std::span<char> surplus;  ///< at the end: received bytes that follow the body, in the buffer
};

/// Moves the rest of the body from `from` to `to` through `room`.
/// On stop: a cancelled stream ends the relay as if its peer had gone.
io::Task<RelayEnd> relay_body(Ref<io::Stream> from, Ref<io::Stream> to, BodyReader* body, Relay relay, Room* room);

}  // namespace holdfast::proxy

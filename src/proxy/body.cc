#include "proxy/body.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "io/loop.h"

namespace holdfast::proxy {

void BodyReader::start(http::Framing framing, std::uint64_t content_length, const http::Limits& limits) {
  framing_ = framing;
  left_ = content_length;
  bytes_ = 0;
  done_ = framing == http::Framing::none || (framing == http::Framing::length && content_length == 0);
  chunked_ = framing == http::Framing::chunked ? std::make_unique<http::ChunkedDecoder>(limits) : nullptr;
}

BodyReader::Piece BodyReader::take(std::span<char> received) {
  Piece piece;
  if (done_) return piece;
  switch (framing_) {
    case http::Framing::none: break;
    case http::Framing::length: {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, received.size()));
      piece.data = received.first(size);
      piece.consumed = size;
      left_ -= size;
      done_ = left_ == 0;
      break;
    }
    case http::Framing::chunked: {
      const http::ChunkedDecoder::Step step = chunked_->decode(received);
      piece.data = step.data;
      piece.consumed = step.consumed;
      if (step.status == http::ChunkedDecoder::Status::malformed) piece.error = step.error;
      done_ = step.status == http::ChunkedDecoder::Status::done;
      break;
    }
    case http::Framing::until_close:
      piece.data = received;
      piece.consumed = received.size();
      break;
  }
  bytes_ += piece.data.size();
  return piece;
}

bool BodyReader::sender_closed() {
  if (framing_ == http::Framing::until_close) done_ = true;
  return done_;
}

std::span<char> frame(http::Framing framing, std::span<char> data, bool last, std::string_view trailers) {
  if (framing != http::Framing::chunked) return data;
  if (data.empty() && !last) return {};
  return http::frame_chunk(data, last, last ? trailers : std::string_view{});
}

namespace {

/// Why a wait of a relay failed: a pause that was too long is the fault of who was waited for, the end of all time not.
RelayEnd why_ended(const io::Moved& moved, Instant now, const Relay& relay, RelayEnd gone, RelayEnd slow) {
  if (moved.error != ETIMEDOUT) return gone;
  return now >= relay.deadline ? RelayEnd::too_late : slow;
}

/// A write that ran out of patience, but not without moving something: that may have earned it more.
bool goes_on(const io::Moved& sent, const Pace& pace, Instant now, const Relay& relay) {
  return sent.error == ETIMEDOUT && !pace.spent() && now < relay.deadline;
}

}  // namespace

io::Task<RelayEnd> relay_body(Ref<io::Stream> from, Ref<io::Stream> to, BodyReader* body, Relay relay, Room* room) {
  constexpr int kPiecesPerTurn = 16;  // a sender that never pauses must not keep the loop to itself
  io::Loop& loop = from->loop();
  Pace sending(relay.stall_timeout, relay.sender_rate);
  Pace taking(relay.stall_timeout, relay.receiver_rate);
  for (int pieces = 1; !body->done(); ++pieces) {
    const Instant asked = loop.now();
    if (asked >= relay.deadline) co_return RelayEnd::too_late;
    std::span<char> whole;
    std::span<char> into;
    io::Moved got;
    do {
      if (!from->descriptor().maybe_readable()) room->buffer = io::Buffer{};
      const Deadline read_by = std::min(relay.deadline, sending.wait_until(asked));
      got.error = co_await from->readable(read_by);
      if (!got.ok()) co_return why_ended(got, loop.now(), relay, RelayEnd::sender_gone, RelayEnd::sender_slow);
      if (!room->buffer) room->buffer = room->pool.lend();
      if (!room->buffer) co_return RelayEnd::no_memory;
      whole = room->buffer.all();
      into = whole.subspan(http::kChunkHeadroom, whole.size() - http::kChunkHeadroom - http::kChunkTailroom);
      got = from->try_read(into);
    } while (got.error == EAGAIN);
    if (!got.ok()) co_return RelayEnd::sender_gone;
    sending.moved(got.bytes, loop.now() - asked);
    BodyReader::Piece piece;
    if (got.ended()) {
      if (!body->sender_closed()) co_return RelayEnd::sender_gone;
      piece.data = into.first(0);
    } else {
      piece = body->take(into.first(got.bytes));
      if (!piece.error.empty()) co_return RelayEnd::sender_broken;
      if (body->bytes() > relay.bytes_max) co_return RelayEnd::too_large;
      room->surplus = into.subspan(piece.consumed, got.bytes - piece.consumed);
    }
    // The mark of the end goes into the headroom: where the read began lies what follows the body.
    if (piece.data.empty()) piece.data = whole.first(0);
    // Trailers may be larger than the room behind the data: then they go out on their own, from the front.
    const bool last = body->done();
    const bool trailers_apart = last && !body->trailers().empty();
    std::span<const char> out = frame(relay.framing, piece.data, last && !trailers_apart, {});
    while (!out.empty()) {
      const Instant offered = loop.now();
      const Deadline sent_by = std::min(relay.deadline, taking.wait_until(offered));
      const io::Moved sent = co_await to->write_all(out, sent_by);
      taking.moved(sent.bytes, loop.now() - offered);
      out = out.subspan(sent.bytes);
      if (!sent.ok() && !goes_on(sent, taking, loop.now(), relay)) {
        co_return why_ended(sent, loop.now(), relay, RelayEnd::receiver_gone, RelayEnd::receiver_slow);
      }
    }
    if (trailers_apart && relay.framing == http::Framing::chunked) {
      std::string end = "0\r\n";
      end.append(body->trailers()).append("\r\n");
      const Deadline sent_by = std::min(relay.deadline, loop.now() + relay.stall_timeout);
      const io::Moved sent = co_await to->write_all(end, sent_by);
      if (!sent.ok()) co_return why_ended(sent, loop.now(), relay, RelayEnd::receiver_gone, RelayEnd::receiver_slow);
    }
    if (pieces % kPiecesPerTurn == 0) co_await loop.yield();
  }
  co_return RelayEnd::complete;
}

}  // namespace holdfast::proxy

// Chunked transfer coding, RFC 9112 7.1: the decoder. A pure state machine that works in the receive buffer itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "http/limits.h"

namespace holdfast::http {

/// Decodes one body. Any split of the same bytes gives the same data, the same trailers and the same verdict.
/// Chunk extensions are checked, counted and dropped. Memory is taken only by trailers, about Limits::trailer_bytes at
/// most.
class ChunkedDecoder {
 public:
  enum class Status : std::uint8_t { need_more, done, malformed };

  struct Step {
    std::size_t consumed = 0;  ///< bytes of the span that are used up; with done, the rest belongs to the next message
    std::span<char> data;      ///< decoded bytes, in one piece, inside the span given
    Status status = Status::need_more;
    std::string_view error;  ///< malformed: static words that cite the rule
  };

  ChunkedDecoder() = default;
  explicit ChunkedDecoder(const Limits& limits) : limits_(limits) {}

  /// Consumes all of `bytes`, or up to the end of the body, or up to the first wrong byte. The data of the first chunk
  /// in the span stays where it is, that of later ones is moved up behind it: one chunk in one buffer costs no copy.
  Step decode(std::span<char> bytes);

  /// "Name: value\r\n" for each trailer field that may be forwarded; complete when the status is done.
  std::string_view trailers() const { return trailers_; }

  /// Ready for the next body, with the same limits.
  void reset();

 private:
  enum class State : std::uint8_t {
    size_start,
    size,
    extension_name_start,
    extension_name,
    extension_value_start,
    extension_value,
    extension_quoted,
    extension_quoted_pair,
    extension_quoted_end,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_start,
    trailer,
    trailer_lf,
    end_lf,
    done,
    malformed,
  };

  bool read_size_line(char c);
  bool read_extension(char c);
  bool read_trailer(char c);
  bool end_size_line();
  bool end_trailer_line();
  bool refuse(std::string_view error);

  Limits limits_;
  State state_ = State::size_start;
  std::uint8_t digits_ = 0;
  std::uint32_t chunk_extension_ = 0;
  std::uint32_t body_extension_ = 0;
  std::uint32_t trailer_read_ = 0;
  std::uint64_t left_ = 0;
  std::string_view error_;
  std::string line_;
  std::string trailers_;
};

}  // namespace holdfast::http

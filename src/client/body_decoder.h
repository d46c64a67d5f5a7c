// BodyDecoder: where a body ends, and what it holds, by the three framings of RFC 9112 6.3. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "http/chunked.h"
#include "http/head.h"

namespace holdfast::client {

class BodyDecoder {
 public:
  enum class Status : std::uint8_t { need_more, done, malformed };

  explicit BodyDecoder(const http::ResponseHead& head) : framing_(head.framing), left_(head.content_length) {}

  /// Takes from `received` what belongs to the body and adds what it says to `body`. What is left in `received` when
  /// done was not asked for.
  Status take(std::string& received, std::string& body);

  /// The connection has ended: is that the end of the body, too?
  bool may_end_here() const { return framing_ == http::Framing::until_close; }

 private:
  http::Framing framing_;
  std::uint64_t left_;
  http::ChunkedDecoder chunks_;
};

}  // namespace holdfast::client

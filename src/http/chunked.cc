#include "http/chunked.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "http/chars.h"
#include "http/name.h"

namespace holdfast::http {

void ChunkedDecoder::reset() {
  state_ = State::size_start;
  digits_ = 0;
  chunk_extension_ = 0;
  body_extension_ = 0;
  trailer_read_ = 0;
  left_ = 0;
  error_ = {};
  line_.clear();
  trailers_.clear();
}

bool ChunkedDecoder::refuse(std::string_view error) {
  state_ = State::malformed;
  error_ = error;
  return false;
}

ChunkedDecoder::Step ChunkedDecoder::decode(std::span<char> bytes) {
  std::size_t at = 0;
  char* data = bytes.data();
  std::size_t data_size = 0;
  while (at < bytes.size() && state_ != State::done && state_ != State::malformed) {
    if (state_ == State::data) {
      const std::size_t piece = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size() - at));
      char* const from = bytes.data() + at;
      if (data_size == 0) {
        data = from;
      } else {
        std::memmove(data + data_size, from, piece);
      }
      data_size += piece;
      at += piece;
      left_ -= piece;
      if (left_ == 0) state_ = State::data_cr;
    } else {
      const char c = bytes[at];
      const bool right = state_ >= State::trailer_start ? read_trailer(c) : read_size_line(c);
      if (!right) break;
      ++at;
    }
  }
  const Status status = state_ == State::done        ? Status::done
                        : state_ == State::malformed ? Status::malformed
                                                     : Status::need_more;
  return {.consumed = at, .data = {data, data_size}, .status = status, .error = error_};
}

/// chunk-size [ chunk-ext ] CRLF, and the CRLF behind chunk-data. White space around the size is not in the grammar,
/// and the bad white space before an extension is refused with it: a lenient neighbour may read another size there.
bool ChunkedDecoder::read_size_line(char c) {
  switch (state_) {
    case State::size_start:
    case State::size: {
      const int digit = hex_value(c);
      if (digit >= 0) {
        if (digits_ == 16 || (left_ >> 59) != 0) return refuse("RFC 9112 7.1: a chunk size is too large");
        ++digits_;
        left_ = left_ << 4 | static_cast<std::uint64_t>(digit);
        state_ = State::size;
        return true;
      }
      if (state_ == State::size_start || (c != '\r' && c != ';')) {
        return refuse("RFC 9112 7.1: a chunk size is not a hexadecimal number");
      }
      if (c == ';') return read_extension(c);
      state_ = State::size_lf;
      return true;
    }
    case State::size_lf:
      if (c != '\n') return refuse("RFC 9112 7.1: bare CR after a chunk size");
      return end_size_line();
    case State::data_cr:
      if (c != '\r') return refuse("RFC 9112 7.1: chunk data is not followed by CRLF");
      state_ = State::data_lf;
      return true;
    case State::data_lf:
      if (c != '\n') return refuse("RFC 9112 7.1: chunk data is not followed by CRLF");
      state_ = State::size_start;
      return true;
    default: return read_extension(c);
  }
}

bool ChunkedDecoder::end_size_line() {
  state_ = left_ == 0 ? State::trailer_start : State::data;
  digits_ = 0;
  chunk_extension_ = 0;
  return true;
}

/// RFC 9112 7.1.1: *( ";" name [ "=" ( token / quoted-string ) ] ), without white space.
bool ChunkedDecoder::read_extension(char c) {
  constexpr std::string_view kWrong = "RFC 9112 7.1.1: a chunk extension is malformed";
  const bool between = state_ == State::size || state_ == State::extension_name || state_ == State::extension_value ||
                       state_ == State::extension_quoted_end;
  if (between && c == '\r') {
    state_ = State::size_lf;
    return true;
  }
  if (++chunk_extension_ > limits_.chunk_extension_bytes || ++body_extension_ > limits_.body_extension_bytes) {
    return refuse("RFC 9112 7.1.1: chunk extensions are too long");
  }
  if (between && c == ';') {
    state_ = State::extension_name_start;
    return true;
  }
  switch (state_) {
    case State::extension_name_start:
    case State::extension_name:
      if (state_ == State::extension_name && c == '=') {
        state_ = State::extension_value_start;
        return true;
      }
      if (!is_token_char(c)) return refuse(kWrong);
      state_ = State::extension_name;
      return true;
    case State::extension_value_start:
      if (c == '"') {
        state_ = State::extension_quoted;
        return true;
      }
      [[fallthrough]];
    case State::extension_value:
      if (!is_token_char(c)) return refuse(kWrong);
      state_ = State::extension_value;
      return true;
    case State::extension_quoted:
      if (is_control(c) && c != '\t') return refuse(kWrong);
      if (c == '"') state_ = State::extension_quoted_end;
      if (c == '\\') state_ = State::extension_quoted_pair;
      return true;
    case State::extension_quoted_pair:
      if (is_control(c) && c != '\t') return refuse(kWrong);
      state_ = State::extension_quoted;
      return true;
    default: return refuse(kWrong);
  }
}

/// *( field-line CRLF ) CRLF, RFC 9112 7.1.2. Rare and short, so byte by byte.
bool ChunkedDecoder::read_trailer(char c) {
  if (++trailer_read_ > limits_.trailer_bytes) return refuse("RFC 9112 7.1.2: the trailer section is too long");
  switch (state_) {
    case State::trailer_start:
      line_.clear();
      if (c == '\r') {
        state_ = State::end_lf;
        return true;
      }
      state_ = State::trailer;
      [[fallthrough]];
    case State::trailer:
      if (c == '\r') {
        state_ = State::trailer_lf;
        return true;
      }
      if (is_control(c) && c != '\t') return refuse("RFC 9112 7.1.2: a control character in a trailer");
      line_.push_back(c);
      return true;
    case State::trailer_lf:
      if (c != '\n') return refuse("RFC 9112 2.2: bare CR");
      return end_trailer_line();
    default:
      if (c != '\n') return refuse("RFC 9112 2.2: bare CR");
      state_ = State::done;
      return true;
  }
}

bool ChunkedDecoder::end_trailer_line() {
  const std::string_view line = line_;
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    return refuse("RFC 9112 5: a trailer is not a token, a colon and a value");
  }
  const std::string_view name = line.substr(0, colon);
  if (kTrailerAllowed.has(name_of(name)) && name.find('_') == std::string_view::npos) {
    trailers_.append(name).append(": ").append(trim(line.substr(colon + 1))).append("\r\n");
  }
  state_ = State::trailer_start;
  return true;
}

}  // namespace holdfast::http

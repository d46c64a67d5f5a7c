#include "proxy/access_log_lines.h"

#include <bit>
#include <cstring>

#include "base/digits.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace holdfast::proxy {
namespace {

constexpr std::size_t kStride = 16;
static_assert(kStride - 1 <= PackedRecord::kSpareBytes);

#if defined(__SSE2__)

// Copies sixteen bytes; the bits of those that may not stand in a line as they are.
unsigned copy_stride(char* to, const char* from) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
  // As signed bytes, both controls and everything from 0x80 on are below 0x20.
  const __m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
  const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
  const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  const __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(low, del), _mm_or_si128(quote, backslash))));
}

#else

unsigned copy_stride(char* to, const char* from) {
  std::memcpy(to, from, kStride);
  unsigned found = 0;
  for (unsigned i = 0; i < kStride; ++i) {
    const char c = from[i];
    found |= static_cast<unsigned>(c < 0x20 || c >= 0x7f || c == '"' || c == '\\') << i;
  }
  return found;
}

#endif

template <std::size_t Size>
char* write_literal(char* to, const char (&text)[Size]) {
  std::memcpy(to, text, Size - 1);
  return to + Size - 1;
}

char* write_escaped(char* to, char c) {
  if (c == '"' || c == '\\') {
    *to++ = '\\';
    *to++ = c;
    return to;
  }
  // Fields may carry any byte; as Latin-1 each is one code point, and the line stays valid whatever a client sent.
  constexpr const char* kHex = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  to = write_literal(to, "\\u00");
  *to++ = kHex[byte >> 4];
  *to++ = kHex[byte & 15];
  return to;
}

// Reads up to kStride - 1 bytes behind the text and writes as many behind the copy: the record, and the line, have them
// to spare. Requires: size > 0.
char* write_clean(char* to, const char* from, std::size_t size) {
  while (true) {
    unsigned found = copy_stride(to, from);
    if (size < kStride) found &= (1U << size) - 1;
    if (found == 0) {
      if (size <= kStride) return to + size;
      to += kStride;
      from += kStride;
      size -= kStride;
      continue;
    }
    const auto clean = static_cast<std::size_t>(std::countr_zero(found));
    to = write_escaped(to + clean, from[clean]);
    if (size == clean + 1) return to;
    from += clean + 1;
    size -= clean + 1;
  }
}

// Takes the texts of a record one after the other.
struct Texts {
  const char* at;
  const std::uint16_t* size;

  /// `key` is all from the comma to the quotation mark before the value.
  template <std::size_t Size>
  char* write(char* to, const char (&key)[Size]) {
    const std::size_t bytes = *size++;
    if (bytes == 0) return to;
    to = write_clean(write_literal(to, key), at, bytes);
    at += bytes;
    *to++ = '"';
    return to;
  }
};

}  // namespace

void AccessLines::add(const char* packed) {
  PackedRecord record;
  std::memcpy(&record, packed, sizeof record);
  Texts texts{.at = packed + sizeof record, .size = record.sizes.data()};
  char* to = bytes_.get() + size_;
  to = write_literal(to, "{\"time\":\"");
  to = time_.write(to, record.wall_us);
  *to++ = '"';
  to = texts.write(to, ",\"client\":\"");
  to = texts.write(to, ",\"method\":\"");
  to = texts.write(to, ",\"host\":\"");
  to = texts.write(to, ",\"path\":\"");
  to = write_number(write_literal(to, ",\"status\":"), record.status);
  to = write_number(write_literal(to, ",\"duration_us\":"), record.duration_us);
  to = write_number(write_literal(to, ",\"upstream_us\":"), record.upstream_us);
  to = write_number(write_literal(to, ",\"request_bytes\":"), record.request_bytes);
  to = write_number(write_literal(to, ",\"response_bytes\":"), record.response_bytes);
  to = write_number(write_literal(to, ",\"attempts\":"), record.attempts);
  to = texts.write(to, ",\"listener\":\"");
  to = texts.write(to, ",\"service\":\"");
  to = texts.write(to, ",\"endpoint\":\"");
  to = texts.write(to, ",\"breaker\":\"");
  to = texts.write(to, ",\"reason\":\"");
  to = texts.write(to, ",\"request_id\":\"");
  to = write_literal(to, "}\n");
  size_ = static_cast<std::size_t>(to - bytes_.get());
}

}  // namespace holdfast::proxy

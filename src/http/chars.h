// Which byte may stand where (RFC 9110 5.5 and 5.6.2, RFC 3986 3.3), sixteen at a time where the machine can.
// Internal to this floor. Every search returns `end` when it finds nothing.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#if defined(__SSE2__)
#include <bit>
#include <emmintrin.h>
#endif

namespace holdfast::http {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }
/// What no field value may hold; HTAB counts as control here and is allowed by the callers that may.
constexpr bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
/// Visible US-ASCII but '#': a client must not send a fragment. Quotes and braces are sent by browsers and go on as
/// sent.
constexpr bool is_target_char(char c) { return c > 0x20 && c < 0x7f && c != '#'; }

inline constexpr std::array<bool, 256> kTokenChars = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
  for (std::size_t c = 0; c < 128; ++c) {
    if (is_digit(static_cast<char>(c)) || is_alpha(static_cast<char>(c))) table[c] = true;
  }
  return table;
}();

constexpr bool is_token_char(char c) { return kTokenChars[static_cast<unsigned char>(c)]; }

inline const char* find_not_token(const char* at, const char* end) {
  while (at != end && is_token_char(*at)) ++at;
  return at;
}

inline bool is_token(std::string_view text) {
  const char* const end = text.data() + text.size();
  return !text.empty() && find_not_token(text.data(), end) == end;
}

/// The number a hexadecimal digit stands for; -1 for any other byte.
constexpr int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

#if defined(__SSE2__)

/// Runs `match`, which marks the wanted bytes of sixteen, and `one`, which judges a single byte of the rest.
template <class Match, class One>
inline const char* find_by_sixteen(const char* at, const char* end, Match match, One one) {
  while (end - at >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const auto found = static_cast<unsigned>(_mm_movemask_epi8(match(bytes)));
    if (found != 0) return at + std::countr_zero(found);
    at += 16;
  }
  while (at != end && !one(*at)) ++at;
  return at;
}

inline const char* find_control(const char* at, const char* end) {
  return find_by_sixteen(
      at, end,
      [](__m128i bytes) {
        const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
        return _mm_or_si128(low, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f)));
      },
      [](char c) { return is_control(c); });
}

inline const char* find_not_target(const char* at, const char* end) {
  return find_by_sixteen(
      at, end,
      [](__m128i bytes) {
        // As signed bytes, both controls with space and everything from 0x80 on are at most 0x20.
        const __m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x21));
        const __m128i rest =
            _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f)), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('#')));
        return _mm_or_si128(low, rest);
      },
      [](char c) { return !is_target_char(c); });
}

/// The ':' among the next sixteen bytes; null when it is not there or there are fewer.
inline const char* find_near_colon(const char* at, const char* end) {
  if (end - at < 16) return nullptr;
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  const auto found = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(':'))));
  return found == 0 ? nullptr : at + std::countr_zero(found);
}

#else

inline const char* find_control(const char* at, const char* end) {
  while (at != end && !is_control(*at)) ++at;
  return at;
}

inline const char* find_not_target(const char* at, const char* end) {
  while (at != end && is_target_char(*at)) ++at;
  return at;
}

inline const char* find_near_colon(const char*, const char*) { return nullptr; }

#endif

}  // namespace holdfast::http

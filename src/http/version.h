// HTTP-version (RFC 9112 2.3): "HTTP/1." DIGIT, in capitals, and what must follow it. Internal to this floor.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/chars.h"
#include "http/head_fields.h"

namespace holdfast::http {

/// Reads a version and `tail` ("\r\n" after a request line, " " in a status line) and moves `at` behind them. A major
/// version other than 1 is refused at its digit, before the rest has come.
inline ParseOutcome read_version(const char*& at, const char* end, std::string_view tail, std::uint8_t& minor) {
  constexpr std::string_view kStart = "HTTP/1.";
  const char* next = at;
  for (const char wanted : kStart) {
    if (next == end) return incomplete();
    if (*next != wanted) {
      const bool other_major = wanted == '1' && *next >= '2' && *next <= '9';
      return other_major ? refuse(505, "RFC 9110 15.6.6: not HTTP/1")
                         : refuse(400, "RFC 9112 2.3: the version is not HTTP/1.DIGIT");
    }
    ++next;
  }
  if (next == end) return incomplete();
  if (!is_digit(*next)) return refuse(400, "RFC 9112 2.3: the version is not HTTP/1.DIGIT");
  minor = static_cast<std::uint8_t>(*next++ - '0');
  for (const char wanted : tail) {
    if (next == end) return incomplete();
    if (*next != wanted) return refuse(400, "RFC 9112 2.3: the version is not followed by what ends it");
    ++next;
  }
  at = next;
  return kGoOn;
}

}  // namespace holdfast::http

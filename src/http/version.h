// HTTP-version (RFC 9112 2.3): "HTTP/" DIGIT "." DIGIT, in capitals, and what must follow it. Internal to this floor.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/chars.h"
#include "http/head_fields.h"

namespace holdfast::http {

/// Reads a version and `tail` ("\r\n" after a request line, " " in a status line) and moves `at` behind them.
inline ParseOutcome read_version(const char*& at, const char* end, std::string_view tail, std::uint8_t& major,
                                 std::uint8_t& minor) {
  constexpr std::string_view kShape = "HTTP/d.d";
  const char* next = at;
  for (const char wanted : kShape) {
    if (next == end) return incomplete();
    if (wanted == 'd' ? !is_digit(*next) : *next != wanted) {
      return refuse(400, "RFC 9112 2.3: the version is not HTTP/DIGIT.DIGIT");
    }
    ++next;
  }
  major = static_cast<std::uint8_t>(at[5] - '0');
  minor = static_cast<std::uint8_t>(at[7] - '0');
  for (const char wanted : tail) {
    if (next == end) return incomplete();
    if (*next != wanted) return refuse(400, "RFC 9112 3: the version is not followed by what ends it");
    ++next;
  }
  at = next;
  return kGoOn;
}

}  // namespace holdfast::http

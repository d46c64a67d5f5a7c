// Numbers as decimal digits into memory that is there already: two digits at a time, no locale, no growing string. For
// text that is written once per request; elsewhere std::to_string will do.
// Source: Alexandrescu 2013, "Three optimization tips for C++" (two digits at a time, the count of digits first).
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace holdfast {

inline constexpr std::size_t kDigitsMax = 20;  ///< of 2^64 - 1

inline constexpr std::array<char, 200> kTwoDigits = [] {
  std::array<char, 200> pairs{};
  for (std::size_t n = 0; n < 100; ++n) {
    pairs[2 * n] = static_cast<char>('0' + n / 10);
    pairs[2 * n + 1] = static_cast<char>('0' + n % 10);
  }
  return pairs;
}();

inline constexpr std::array<std::uint64_t, kDigitsMax> kPowersOfTen = [] {
  std::array<std::uint64_t, kDigitsMax> powers{1};
  for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

constexpr std::size_t count_digits(std::uint64_t number) {
  // 1233 / 4096 is a little above log10(2): a first guess, one too many for the upper part of some widths.
  const auto guess = static_cast<std::size_t>(std::bit_width(number) * 1233) >> 12;
  return guess + (number >= kPowersOfTen[guess] ? 1 : 0) + (number == 0 ? 1 : 0);
}

/// Writes two digits. Requires: number < 100.
inline void write_two_digits(char* to, std::uint64_t number) { std::memcpy(to, kTwoDigits.data() + 2 * number, 2); }

/// Writes the digits, kDigitsMax at most; returns where they end.
inline char* write_number(char* to, std::uint64_t number) {
  char* const end = to + count_digits(number);
  char* at = end;
  for (; number >= 10; number /= 100) write_two_digits(at -= 2, number % 100);
  if (at != to) *to = static_cast<char>('0' + number);
  return end;
}

}  // namespace holdfast

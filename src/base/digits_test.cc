#include "base/digits.h"

#include <gtest/gtest.h>
#include <string>

#include "base/prng.h"
#include "base/rfc3339.h"

namespace holdfast {
namespace {

std::string digits_of(std::uint64_t number) {
  std::array<char, kDigitsMax> digits{};
  const char* const end = write_number(digits.data(), number);
  return {digits.data(), static_cast<std::size_t>(end - digits.data())};
}

TEST(Digits, are_those_of_to_string_around_every_power_of_two_and_ten) {
  EXPECT_EQ(digits_of(0), "0");
  for (const std::uint64_t power : kPowersOfTen) {
    for (const std::uint64_t n : {power - 1, power, power + 1}) EXPECT_EQ(digits_of(n), std::to_string(n));
  }
  for (unsigned bit = 0; bit < 64; ++bit) {
    const std::uint64_t power = std::uint64_t{1} << bit;
    for (const std::uint64_t n : {power - 1, power, power + 1}) EXPECT_EQ(digits_of(n), std::to_string(n));
  }
  EXPECT_EQ(digits_of(UINT64_MAX), "18446744073709551615");
  for (std::uint64_t n = 0; n < 20'000; ++n) EXPECT_EQ(digits_of(n), std::to_string(n));
}

TEST(Rfc3339Writer, writes_what_append_appends_whatever_came_before) {
  Rfc3339Writer writer;
  Prng prng(20'260'228);
  std::int64_t wall_us = 0;
  for (int i = 0; i < 20'000; ++i) {
    switch (prng.below(4)) {
      case 0: wall_us = static_cast<std::int64_t>(prng.below(7'000'000'000'000'000)) - 3'000'000'000'000'000; break;
      case 1: wall_us += static_cast<std::int64_t>(prng.below(3000)) - 1000; break;
      case 2: wall_us -= wall_us % 1'000'000; break;  // a whole second, and the last microsecond before it
      default: --wall_us; break;
    }
    std::string expected;
    append_rfc3339(expected, wall_us);
    std::array<char, Rfc3339Writer::kBytes> text{};
    EXPECT_EQ(writer.write(text.data(), wall_us), text.data() + text.size());
    ASSERT_EQ(std::string(text.data(), text.size()), expected) << wall_us;
  }
}

}  // namespace
}  // namespace holdfast

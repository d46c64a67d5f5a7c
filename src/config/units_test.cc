#include "config/units.h"

#include <gtest/gtest.h>

namespace holdfast::config {
namespace {

TEST(Units, durations_are_a_whole_number_and_one_unit) {
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("5s"), 5s);
  EXPECT_EQ(parse_duration("10m"), 10min);
  EXPECT_EQ(parse_duration("1h"), 1h);
  for (const char* wrong :
       {"", "s", "5", "0", "-5s", "+5s", "1.5s", "5 s", " 5s", "5s ", "1h30m", "5S", "5d", "5us", "0x5s"}) {
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
  }
}

TEST(Units, a_duration_without_unit_shows_how_to_write_it) {
  EXPECT_EQ(parse_duration("30").error(), "\"30\" needs a unit; write 30s or 30ms (units: ms, s, m, h)");
}

TEST(Units, durations_end_where_nanoseconds_do) {
  EXPECT_TRUE(parse_duration("2562047h"));
  EXPECT_FALSE(parse_duration("2562048h"));
  EXPECT_FALSE(parse_duration("99999999999999999999s"));
}

TEST(Units, sizes_are_bytes_or_binary_multiples) {
  EXPECT_EQ(parse_bytes("512"), 512U);
  EXPECT_EQ(parse_bytes("0"), 0U);
  EXPECT_EQ(parse_bytes("16KiB"), 16 * kKiB);
  EXPECT_EQ(parse_bytes("1MiB"), kMiB);
  EXPECT_EQ(parse_bytes("2GiB"), 2 * kGiB);
  EXPECT_EQ(parse_bytes("16777215TiB"), 16777215 * kTiB);
  for (const char* wrong :
       {"", "KiB", "16KB", "16K", "16kib", "1.5MiB", "-1", "16 KiB", "16777216TiB", "18446744073709551616"}) {
    EXPECT_FALSE(parse_bytes(wrong)) << wrong;
  }
}

TEST(Units, shares_are_percentages_exact_to_a_hundredth) {
  EXPECT_EQ(parse_share("50%"), percent(50));
  EXPECT_EQ(parse_share("0%"), percent(0));
  EXPECT_EQ(parse_share("125%"), percent(125));
  EXPECT_EQ(parse_share("12.5%"), Share{1250});
  EXPECT_EQ(parse_share("0.01%"), Share{1});
  for (const char* wrong : {"", "%", "50", "0.5", ".5%", "5.%", "1.234%", "-5%", "50 %", "1.2.3%", "1000001%"}) {
    EXPECT_FALSE(parse_share(wrong)) << wrong;
  }
  EXPECT_DOUBLE_EQ(percent(20).fraction(), 0.2);
}

TEST(Units, each_reads_back_what_it_writes) {
  for (const Duration duration : {Duration(0s), Duration(1ms), Duration(1500ms), Duration(60s), Duration(90s),
                                  Duration(2min), Duration(61min), Duration(1h)}) {
    EXPECT_EQ(parse_duration(write_duration(duration)), duration);
  }
  for (const std::size_t bytes :
       {std::size_t{0}, std::size_t{1}, std::size_t{1023}, kKiB, kKiB + 1, kMiB, 3 * kGiB, kTiB}) {
    EXPECT_EQ(parse_bytes(write_bytes(bytes)), bytes);
  }
  for (const std::uint32_t points : {0U, 1U, 10U, 99U, 100U, 1250U, 10'000U, 12'501U}) {
    EXPECT_EQ(parse_share(to_string(Share{points})), Share{points});
  }
}

TEST(Units, the_form_written_is_the_one_people_say) {
  EXPECT_EQ(write_duration(60s), "60s");
  EXPECT_EQ(write_duration(600s), "10m");
  EXPECT_EQ(write_duration(3600s), "1h");
  EXPECT_EQ(write_bytes(64 * kKiB), "64KiB");
  EXPECT_EQ(to_string(Share{1250}), "12.5%");
}

}  // namespace
}  // namespace holdfast::config

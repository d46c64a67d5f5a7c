#include <gtest/gtest.h>

#include "base/pinned.h"
#include "base/prng.h"
#include "base/result.h"
#include "base/rfc3339.h"
#include "base/text.h"

namespace holdfast {
namespace {

TEST(Result, pass_adds_what_we_were_doing) {
  Result<int> inner = fail(Code::refused, Side::upstream, "connect 10.0.0.7:5432");
  Result<> outer = pass(inner, "dial primary");
  EXPECT_EQ(outer.error().what, "connect 10.0.0.7:5432: dial primary");
  EXPECT_EQ(outer.error().code, Code::refused);
  EXPECT_EQ(outer.error().side, Side::upstream);
}

TEST(Prng, replays_from_its_seed_and_stays_below_the_bound) {
  Prng a(7);
  Prng b(7);
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t drawn = a.below(10);
    EXPECT_EQ(drawn, b.below(10));
    EXPECT_LT(drawn, 10U);
  }
}

TEST(Rfc3339, reads_what_it_writes_and_what_others_write) {
  std::string text;
  append_rfc3339(text, 951'782'399'120'000);
  EXPECT_EQ(parse_rfc3339(text), 951'782'399'120'000);
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(parse_rfc3339("1970-01-01 02:00:00.000001+02:00"), 1);
  EXPECT_EQ(parse_rfc3339("1969-12-31T23:00:00.1234567-01:00"), 123'456);
}

TEST(Rfc3339, reads_nothing_else) {
  for (const char* text : {"", "2026", "2026-02-29T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
                           "2026-01-01T00:00:60Z", "2026-01-01T00:00:00", "2026-01-01T00:00:00.Z",
                           "2026-01-01T00:00:00Z ", "2026-01-01T00:00:00+2:00", "x026-01-01T00:00:00Z"}) {
    EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
  }
}

TEST(Rfc3339, is_utc_to_the_millisecond) {
  std::string text;
  append_rfc3339(text, 0);
  append_rfc3339(text, 951'782'399'999'999);  // the last microsecond of a leap day's eve
  EXPECT_EQ(text, "1970-01-01T00:00:00.000Z2000-02-28T23:59:59.999Z");
}

TEST(Text, numbers_are_digits_only_and_do_not_overflow) {
  EXPECT_EQ(parse_number<unsigned>("42"), 42U);
  for (const char* wrong : {"", "+1", "-1", " 1", "1 ", "0x5", "1.0", "4294967296"}) {
    EXPECT_FALSE(parse_number<unsigned>(wrong)) << wrong;
  }
}

TEST(Text, split_keeps_empty_parts) {
  EXPECT_EQ(split("a,,b", ',').size(), 3U);
  EXPECT_EQ(split("", ',').size(), 1U);
}

TEST(Text, trim_takes_spaces_and_tabs_only) {
  EXPECT_EQ(trim(" \t a b\t"), "a b");
  EXPECT_EQ(trim("  "), "");
}

static_assert(!std::is_copy_constructible_v<Pinned> && !std::is_move_constructible_v<Pinned>);
static_assert(!std::is_constructible_v<Ref<Prng>, Prng&&>, "a Ref does not bind to a temporary");

}  // namespace
}  // namespace holdfast

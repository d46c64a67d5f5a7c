#include "proxy/pace.h"

#include <gtest/gtest.h>

namespace holdfast::proxy {
namespace {

constexpr Instant kNow{1h};
constexpr Rate kRate{.bytes_per_s = 100, .grace = 5s};

TEST(Pace, begins_with_the_grace) { EXPECT_EQ(Pace(30s, kRate).wait_until(kNow), kNow + 5s); }

TEST(Pace, without_a_rate_only_the_pause_counts) {
  Pace pace(30s, Rate{});
  for (int i = 0; i < 1000; ++i) pace.moved(1, 29s);
  EXPECT_EQ(pace.wait_until(kNow), kNow + 30s);
  pace.moved(0, 30s);
  EXPECT_TRUE(pace.spent());
}

TEST(Pace, a_grace_longer_than_the_pause_is_as_long_as_the_pause) {
  EXPECT_EQ(Pace(3s, kRate).wait_until(kNow), kNow + 3s);
}

// How many pieces of that size come in time when there is one a second, as a relay waits for them.
int pieces_in_time(std::size_t bytes) {
  constexpr int kMany = 100'000;
  Pace pace(30s, kRate);
  for (int pieces = 0; pieces < kMany; ++pieces) {
    if (pace.wait_until(kNow) < kNow + 1s) return pieces;
    pace.moved(bytes, 1s);
  }
  return kMany;
}

TEST(Pace, the_rate_is_enough_and_one_byte_less_is_not) {
  EXPECT_EQ(pieces_in_time(101), 100'000);
  EXPECT_EQ(pieces_in_time(100), 100'000);
  EXPECT_EQ(pieces_in_time(99), 401) << "it falls behind by a hundredth of a second each second";
  EXPECT_EQ(pieces_in_time(50), 9);
}

TEST(Pace, a_byte_now_and_then_buys_next_to_nothing) { EXPECT_EQ(pieces_in_time(1), 5); }

TEST(Pace, who_was_quick_may_pause_for_as_long_as_anyone_may) {
  Pace pace(30s, kRate);
  pace.moved(1'000'000, 0s);
  EXPECT_EQ(pace.wait_until(kNow), kNow + 30s);
  pace.moved(std::size_t{1} << 62U, 0s);
  EXPECT_EQ(pace.wait_until(kNow), kNow + 30s);
}

TEST(Pace, a_wait_that_came_back_late_costs_no_more_than_there_was) {
  Pace pace(30s, kRate);
  pace.moved(100, 20s);
  EXPECT_FALSE(pace.spent());
  EXPECT_EQ(pace.wait_until(kNow), kNow + 1s);
}

}  // namespace
}  // namespace holdfast::proxy

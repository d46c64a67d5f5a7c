#include "guard/suspicion.h"

#include <gtest/gtest.h>
#include <string>

namespace holdfast::guard {
namespace {

breaker::Window recent(unsigned calls, unsigned unreachable) {
  breaker::Window window(2s);
  window.add({.calls = calls, .failures = unreachable, .unreachable = unreachable}, Instant(1h));
  return window;
}

TEST(Suspicion, the_newest_calls_show_what_is_out_of_reach) {
  EXPECT_TRUE(says_unreachable(recent(5, 5), false));
  EXPECT_TRUE(says_unreachable(recent(4, 0), true)) << "too few to say otherwise";
  EXPECT_FALSE(says_unreachable(recent(5, 4), true));
  breaker::Window window = recent(1000, 0);
  window.add({.calls = 5, .failures = 5, .unreachable = 5}, Instant(1h) + 50ms);
  EXPECT_TRUE(says_unreachable(window, false));
}

TEST(Suspicion, three_at_least_and_more_than_half_make_it) {
  const auto suspects = [](int well, int unreachable, int idle) {
    Suspicion suspicion;
    for (int i = 0; i < well; ++i) suspicion.add({.calls = 10}, false);
    for (int i = 0; i < unreachable; ++i) suspicion.add({.refused = 1}, true);
    for (int i = 0; i < idle; ++i) suspicion.add({}, true);
    return suspicion.suspects();
  };
  EXPECT_FALSE(suspects(0, 2, 5));
  EXPECT_TRUE(suspects(0, 3, 0));
  EXPECT_TRUE(suspects(2, 3, 0));
  EXPECT_FALSE(suspects(3, 3, 0));
}

TEST(Trips, three_may_open_in_any_case_and_thirty_percent_of_many) {
  Trips trips;
  const Instant now(1h);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(trips.may_open(5, now));
    trips.saw("s" + std::to_string(i), now);
  }
  EXPECT_FALSE(trips.may_open(5, now));
  EXPECT_FALSE(trips.may_open(13, now));
  EXPECT_TRUE(trips.may_open(14, now));
  EXPECT_TRUE(trips.may_open(5, now + Trips::kMemory + 1ns));
}

}  // namespace
}  // namespace holdfast::guard

#include "health/silence.h"

#include <gtest/gtest.h>

namespace holdfast::health {
namespace {

const Instant kStart{1h};

TEST(Silence, is_when_later_requests_have_been_answered_and_nobody_here) {
  EXPECT_TRUE(is_silent({.asked = kStart, .heard = kStart - 1s, .newest_answered = kStart + 10ms}));
  EXPECT_TRUE(is_silent({.asked = kStart, .heard = Instant{}, .newest_answered = kStart + 10ms}));
}

TEST(Silence, is_not_when_the_endpoint_answers_others) {
  EXPECT_FALSE(is_silent({.asked = kStart, .heard = kStart + 1ms, .newest_answered = kStart + 10ms}));
}

TEST(Silence, is_not_when_nobody_answers_at_all) {
  EXPECT_FALSE(is_silent({.asked = kStart, .heard = kStart - 1s, .newest_answered = kStart - 1ms}));
  EXPECT_FALSE(is_silent({.asked = kStart, .heard = kStart - 1s, .newest_answered = kStart}));
}

TEST(Silence, takes_longer_to_notice_where_answers_take_longer) {
  EXPECT_EQ(patience(0ms), 100ms);
  EXPECT_EQ(patience(6ms), 100ms);
  EXPECT_EQ(patience(20ms), 320ms);
  EXPECT_EQ(patience(1s), 2s);
}

}  // namespace
}  // namespace holdfast::health

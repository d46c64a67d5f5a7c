#include "health/silence.h"

#include <gtest/gtest.h>

namespace holdfast::health {
namespace {

const Instant kStart{1h};

constexpr Duration kPatience = 100ms;

bool judge(const Silence& silence) { return is_silent(silence, kPatience, kStart + kPatience); }

TEST(Silence, is_when_later_requests_have_been_answered_and_nobody_here) {
  EXPECT_TRUE(judge({kStart, kStart - 1s, 3, kStart + 10ms}));
  EXPECT_TRUE(judge({kStart, Instant{}, 3, kStart + 10ms}));
}

// A request that was sent just before the endpoint stopped: others were still answered after it.
TEST(Silence, counts_from_the_last_answer_to_anybody) {
  const Silence silence{kStart, kStart + 1ms, 3, kStart + 50ms};
  EXPECT_FALSE(is_silent(silence, kPatience, kStart + kPatience));
  EXPECT_TRUE(is_silent(silence, kPatience, kStart + 1ms + kPatience));
}

TEST(Silence, is_not_when_nobody_answers_at_all) {
  EXPECT_FALSE(judge({kStart, kStart - 1s, 3, kStart - 1ms}));
  EXPECT_FALSE(judge({kStart, kStart - 1s, 3, kStart}));
}

TEST(Silence, takes_three_who_wait) {
  EXPECT_FALSE(judge({kStart, kStart - 1s, 2, kStart + 10ms}));
  EXPECT_TRUE(judge({kStart, kStart - 1s, 4, kStart + 10ms}));
}

TEST(Silence, takes_longer_to_notice_where_answers_take_longer) {
  EXPECT_EQ(patience(0ms), 100ms);
  EXPECT_EQ(patience(6ms), 100ms);
  EXPECT_EQ(patience(20ms), 320ms);
  EXPECT_EQ(patience(1s), 2s);
}

}  // namespace
}  // namespace holdfast::health

#include "guard/board.h"

#include <gtest/gtest.h>

#include "guard/keys.h"

namespace holdfast::guard {
namespace {

constexpr Instant kNow{1h};
constexpr std::int64_t kWall_us = 1'790'000'000'000'000;

class ABoard : public testing::Test {
 protected:
  void put(const std::string& key, const std::string& value, store::Revision revision) {
    records_[key] = {.key = key, .value = value, .created = revision, .modified = revision};
    board_.learn(records_, kNow);
  }

  Board::Records records_;
  std::vector<std::string> said_;
  Board board_{[this](const std::string& line) { said_.push_back(line); }};
};

// A step compares the revision of what it rests on: with this one it would overwrite what a later version has written.
TEST_F(ABoard, takes_neither_state_nor_revision_from_a_record_it_does_not_understand) {
  const breaker::Standing open{.state = breaker::State::open, .epoch = 7};
  put(state_key("profile"), write_state(open, "a", "1", Clocks{kNow, kWall_us}), 5);
  ASSERT_EQ(board_.of("profile").state_modified, 5U);
  put(state_key("profile"), "what?", 6);
  EXPECT_EQ(board_.of("profile").state_modified, 5U);
  ASSERT_TRUE(board_.of("profile").state.has_value());
  EXPECT_EQ(board_.of("profile").state.value_or(StateRecord{}).standing.state, breaker::State::open);
  EXPECT_EQ(said_.size(), 1U);
}

}  // namespace
}  // namespace holdfast::guard

#include "guard/board.h"

#include <gtest/gtest.h>

#include "base/prng.h"
#include "guard/keys.h"

namespace holdfast::guard {
namespace {

constexpr Instant kNow{1h};
constexpr std::int64_t kWall_us = 1'790'000'000'000'000;
constexpr const char* kForced = R"({"state":"open","actor":"mara","reason":"INC-7"})";

using Names = std::set<std::string, std::less<>>;

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

TEST_F(ABoard, looks_only_at_what_it_is_told_of) {
  put(override_key("profile"), kForced, 5);
  put(override_key("feed"), kForced, 6);
  records_.clear();
  const Names changed = board_.learn(records_, {override_key("feed"), override_key("never was")}, kNow);
  EXPECT_EQ(changed, Names{"feed"});
  EXPECT_FALSE(board_.of("feed").override.has_value());
  EXPECT_TRUE(board_.of("profile").override.has_value());
  EXPECT_EQ(board_.learn(records_, kNow), Names{"profile"}) << "what nobody told of shows when all are compared";
}

// What may stand under the keys of a breaker; also what is not understood.
std::pair<std::string, std::string> any_record(Prng& prng) {
  const std::string name = "breaker-" + std::to_string(prng.below(4));
  const std::string node = "node-" + std::to_string(prng.below(3));
  if (prng.below(10) == 0) return {override_key(name), "what?"};
  switch (prng.below(7)) {
    case 0: return {settings_key(name), R"({"mode":"observe"})"};
    case 1: return {override_key(name), kForced};
    case 2: return {vote_key(name, node), write_vote({.calls = prng.below(100)})};
    case 3: return {voter_key(node), write_voter("z")};
    case 4: return {probe_key(name), write_probe({})};
    case 5: return {std::string(kBreakerPrefix) + "of a later version/" + name, "?"};
    default: {
      const breaker::Standing open{.state = breaker::State::open, .epoch = 1 + prng.below(100)};
      return {state_key(name), write_state(open, "a", "1", Clocks{kNow, kWall_us})};
    }
  }
}

TEST_F(ABoard, that_is_told_which_keys_changed_shows_what_one_that_compares_all_does) {
  const auto silent = [](const std::string&) {};
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Prng prng(seed);
    Board told(silent);
    Board comparing(silent);
    Board::Records records;
    store::Revision revision = 0;
    for (Instant now = kNow; now < kNow + 200s; now += 1s) {
      std::set<std::string> keys;
      for (std::uint64_t changes = prng.below(5); changes > 0; --changes) {
        const auto [key, value] = any_record(prng);
        ++revision;
        keys.insert(key);
        if (records.erase(key) != 0 && prng.below(2) == 0) continue;
        records[key] = {.key = key, .value = value, .created = revision, .modified = revision};
      }
      const bool has_missed = prng.below(20) == 0;  // a change, so it reads anew
      const Names changed = has_missed ? told.learn(records, now) : told.learn(records, keys, now);
      ASSERT_EQ(changed, comparing.learn(records, now)) << "seed " << seed;
      ASSERT_EQ(told.forget_settings(now), comparing.forget_settings(now)) << "seed " << seed;
      ASSERT_EQ(told.forgets_at(), comparing.forgets_at()) << "seed " << seed;
      ASSERT_EQ(told.voters(), comparing.voters()) << "seed " << seed;
      for (const char* name : {"breaker-0", "breaker-1", "breaker-2", "breaker-3"}) {
        ASSERT_EQ(told.of(name), comparing.of(name)) << "seed " << seed << ", " << name;
      }
    }
  }
}

}  // namespace
}  // namespace holdfast::guard

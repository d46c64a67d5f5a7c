// The fences of the steps that all share, against a keyspace.
#include "guard/step.h"

#include <gtest/gtest.h>

#include "guard/keys.h"
#include "store/keyspace.h"

namespace holdfast::guard {
namespace {

using breaker::Proposal;
using breaker::Standing;
using breaker::State;
using Kind = Proposal::Kind;

constexpr store::LeaseId kLease = 7;

struct Step : testing::Test {
  store::Keyspace keyspace{1};
  Board board{[](const std::string&) {}};
  Prng prng{1};
  const Author author{"a", {Instant(1h), 1'795'464'000'000'000}};

  Step() { keyspace.grant(kLease); }

  const Posted& posted() {
    board.learn(keyspace.records(), Instant(1h));
    return board.of("profile");
  }
  store::Transaction make(Kind kind, State state, std::uint64_t epoch) {
    const Proposal proposal{kind, Standing{.state = state, .epoch = epoch}, 2s, "why"};
    return make_step("profile", proposal, posted(), author, kLease, prng);
  }
  bool apply(const store::Transaction& transaction) {
    const Result<store::Outcome> outcome = keyspace.apply(transaction);
    return outcome && outcome->kind == store::Outcome::Kind::committed;
  }
  bool take(Kind kind, State state, std::uint64_t epoch) { return apply(make(kind, state, epoch)); }
  std::size_t events() const {
    std::size_t count = 0;
    for (const auto& [key, record] : keyspace.records()) count += key.starts_with("event/") ? 1U : 0U;
    return count;
  }
};

TEST_F(Step, of_two_who_take_the_same_one_does_and_tells_it) {
  const store::Transaction one = make(Kind::trip, State::open, 1);
  const store::Transaction other = make(Kind::trip, State::open, 1);
  EXPECT_TRUE(apply(one));
  EXPECT_FALSE(apply(other));
  EXPECT_EQ(events(), 1U);
}

TEST_F(Step, the_power_to_probe_is_taken_once) {
  ASSERT_TRUE(take(Kind::trip, State::open, 1));
  const store::Transaction one = make(Kind::take_probe, State::half_open, 2);
  const store::Transaction other = make(Kind::take_probe, State::half_open, 2);
  EXPECT_TRUE(apply(one));
  EXPECT_FALSE(apply(other));
  EXPECT_NE(posted().probe_created, 0U);
  EXPECT_EQ(posted().probe_lease, kLease);
}

TEST_F(Step, a_verdict_needs_the_power_it_was_made_with) {
  ASSERT_TRUE(take(Kind::trip, State::open, 1));
  ASSERT_TRUE(take(Kind::take_probe, State::half_open, 2));
  const store::Transaction verdict = make(Kind::ramp, State::ramp, 3);
  keyspace.expire(kLease);
  EXPECT_FALSE(apply(verdict)) << "its lease has ended";
  keyspace.grant(kLease);
  ASSERT_TRUE(take(Kind::take_probe, State::half_open, 3));
  EXPECT_FALSE(apply(verdict)) << "another has it now";
  EXPECT_TRUE(take(Kind::ramp, State::ramp, 4));
  EXPECT_EQ(posted().probe_created, 0U) << "and it goes with the verdict";
}

TEST_F(Step, an_override_that_is_over_goes_once_and_what_it_held_open_is_open_to_be_probed) {
  ASSERT_TRUE(apply(make_force("profile", {State::open, "mara", "INC-7", 0, {}}, 0, prng)));
  const store::Transaction one = make(Kind::expire, State::open, 1);
  const store::Transaction other = make(Kind::expire, State::open, 1);
  EXPECT_TRUE(apply(one));
  EXPECT_FALSE(apply(other));
  EXPECT_EQ(posted().override_modified, 0U);
  EXPECT_EQ(posted().state->standing.state, State::open);
}

TEST_F(Step, what_an_operator_releases_is_probed_and_nobody_probes_it_already) {
  ASSERT_TRUE(take(Kind::trip, State::open, 1));
  ASSERT_TRUE(take(Kind::take_probe, State::half_open, 2));
  ASSERT_TRUE(apply(make_force("profile", {State::open, "mara", "INC-7", 0, {}}, 0, prng)));
  ASSERT_TRUE(apply(make_release("profile", true, "mara", "over", posted(), author, prng)));
  EXPECT_EQ(posted().probe_created, 0U);
  EXPECT_EQ(posted().state->standing.state, State::open);
  EXPECT_EQ(posted().state->standing.open_for, 0s);
  EXPECT_EQ(posted().state->standing.epoch, 3U);
}

TEST_F(Step, what_was_forced_closed_simply_goes_on) {
  ASSERT_TRUE(apply(make_force("profile", {State::closed, "mara", "INC-7", 0, {}}, 0, prng)));
  ASSERT_TRUE(apply(make_release("profile", true, "mara", "over", posted(), author, prng)));
  EXPECT_EQ(posted().state, std::nullopt);
  EXPECT_EQ(posted().override, std::nullopt);
}

TEST_F(Step, what_is_not_shared_is_not_open_for_anybody_after_it) {
  ASSERT_TRUE(apply(make_force("profile", {State::open, "mara", "INC-7", 0, {}}, 0, prng)));
  ASSERT_TRUE(apply(make_release("profile", false, "mara", "over", posted(), author, prng)));
  EXPECT_EQ(posted().state, std::nullopt);
}

TEST(Board, tells_once_of_a_record_that_cannot_be_understood_and_keeps_what_was) {
  std::vector<std::string> said;
  Board board([&said](const std::string& line) { said.push_back(line); });
  Board::Records records;
  const auto put = [&records](const std::string& key, const std::string& value, store::Revision modified) {
    records[key] = store::Record{key, value, 1, modified, 0};
  };
  put(settings_key("x"), R"({"mode":"observe"})", 2);
  EXPECT_EQ(board.learn(records, Instant(1h)).size(), 1U);
  put(settings_key("x"), R"({"mode":"often"})", 3);
  board.learn(records, Instant(1h));
  EXPECT_TRUE(board.learn(records, Instant(1h)).empty());
  EXPECT_EQ(said.size(), 1U);
  EXPECT_EQ(board.of("x").settings->mode, breaker::Mode::observe);
  EXPECT_EQ(board.of("y").settings, std::nullopt);
}

}  // namespace
}  // namespace holdfast::guard

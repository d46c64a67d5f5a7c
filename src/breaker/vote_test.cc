#include "breaker/vote.h"

#include <gtest/gtest.h>
#include <vector>

namespace holdfast::breaker {
namespace {

constexpr std::uint64_t kEpoch = 4;
const Standing kClosed{.epoch = kEpoch};
const Standing kRamp{.state = State::ramp, .epoch = kEpoch};

Vote vote(Opinion opinion, std::string zone = {}, std::uint64_t calls = 100) {
  return {.zone = std::move(zone), .opinion = opinion, .calls = calls, .epoch = kEpoch, .why = "all of it failed"};
}

Vote bad(std::string zone = {}, std::uint64_t calls = 100) { return vote(Opinion::bad, std::move(zone), calls); }
Vote good(std::string zone = {}, std::uint64_t calls = 100) { return vote(Opinion::good, std::move(zone), calls); }

bool trips(const std::vector<Vote>& votes, unsigned voters, const Standing& standing = kClosed) {
  return count_votes(votes, voters, standing).bad;
}

TEST(Votes, trip_when_two_and_half_of_them_say_so) {
  EXPECT_FALSE(trips({}, 3));
  EXPECT_FALSE(trips({bad(), good(), good()}, 3));
  EXPECT_TRUE(trips({bad(), bad(), good()}, 3));
  EXPECT_TRUE(trips({bad(), bad(), good(), good()}, 4));
  EXPECT_FALSE(trips({bad(), bad(), good(), good(), good()}, 5));
  EXPECT_TRUE(trips({bad(), bad(), bad(), good(), good()}, 5));
}

TEST(Votes, say_how_many_and_why) {
  Vote loud = bad("", 500);
  loud.why = "500 of 500 calls failed";
  EXPECT_EQ(count_votes(std::vector{bad(), loud, good()}, 3, kClosed).why, "2 of 3 proxies: 500 of 500 calls failed");
  EXPECT_EQ(count_votes(std::vector{bad(), good(), good()}, 3, kClosed).why, "1 of 3 proxies, 2 are needed");
}

TEST(Votes, of_who_has_no_calls_do_not_count) {
  EXPECT_TRUE(trips({bad(), bad(), vote(Opinion::none), vote(Opinion::none), vote(Opinion::none)}, 5));
}

TEST(Votes, of_another_epoch_say_nothing) {
  Vote older = bad();
  older.epoch = kEpoch - 1;
  Vote newer = bad();
  newer.epoch = kEpoch + 1;
  EXPECT_FALSE(trips({bad(), older, newer, good()}, 4));
  EXPECT_TRUE(trips({bad(), bad(), older, newer}, 4));
}

TEST(Votes, of_who_suspects_himself_are_not_believed) {
  Vote sick = bad();
  sick.self_suspect = true;
  EXPECT_FALSE(trips({bad(), sick, good()}, 3));
  EXPECT_FALSE(trips({sick, sick, sick}, 3));
  EXPECT_TRUE(trips({bad(), bad(), sick}, 3));
}

TEST(Votes, must_stand_for_half_of_the_calls) {
  EXPECT_FALSE(trips({bad("", 49), bad("", 50), good("", 100)}, 3));
  EXPECT_TRUE(trips({bad("", 50), bad("", 50), good("", 100)}, 3));
}

TEST(Votes, must_come_from_two_zones_if_calls_do) {
  EXPECT_FALSE(trips({bad("a"), bad("a"), good("b")}, 3));
  EXPECT_TRUE(trips({bad("a"), bad("b"), good("b")}, 3));
  EXPECT_TRUE(trips({bad("a"), bad("a"), good("a")}, 3));
  EXPECT_TRUE(trips({bad("a"), bad(""), good("b")}, 3)) << "no zone is a zone";
  EXPECT_TRUE(trips({bad("a"), bad("b"), bad("a"), good("c"), good("d")}, 5));
}

TEST(Votes, of_who_is_alone_in_the_cluster_suffice) {
  EXPECT_TRUE(trips({bad()}, 1));
  EXPECT_TRUE(trips({bad()}, 0)) << "the store may not list us yet";
  EXPECT_FALSE(trips({good()}, 1));
}

TEST(Votes, of_who_is_alone_in_seeing_calls_do_not_suffice) {
  EXPECT_FALSE(trips({bad()}, 2));
  EXPECT_FALSE(trips({bad(), vote(Opinion::none)}, 5));
  EXPECT_FALSE(trips({bad()}, 5, kRamp));
  EXPECT_EQ(count_votes(std::vector{bad()}, 5, kRamp).why, "1 of 1 proxies: no other one has calls");
}

TEST(Votes, need_be_half_as_many_during_the_ramp) {
  EXPECT_TRUE(trips({bad(), good()}, 2, kRamp));
  EXPECT_FALSE(trips({bad("", 99), good("", 100)}, 2, kRamp)) << "half of the calls all the same";
  EXPECT_TRUE(trips({bad("a", 200), good("b")}, 2, kRamp)) << "one cannot come from two zones";
  EXPECT_TRUE(trips({bad("", 500), good(), good(), good()}, 4, kRamp));
  EXPECT_FALSE(trips({bad("", 500), good(), good(), good(), good()}, 5, kRamp));
}

TEST(Votes, never_open_what_is_open) {
  EXPECT_FALSE(trips({bad(), bad(), bad()}, 3, {.state = State::open, .epoch = kEpoch}));
  EXPECT_FALSE(trips({bad(), bad(), bad()}, 3, {.state = State::half_open, .epoch = kEpoch}));
}

}  // namespace
}  // namespace holdfast::breaker

// An edge among others: its vote, and what opens and closes for all.
#include "breaker/edge_for_tests.h"

namespace holdfast::breaker {
namespace {

TEST_F(EdgeAmongOthers, votes_as_it_judges) {
  share(standing(State::closed));
  EXPECT_EQ(plan.vote.opinion, Opinion::none);
  EXPECT_EQ(plan.vote.epoch, kEpoch);
  observe({.calls = 100, .failures = 3, .slow = 2});
  EXPECT_EQ(plan.vote.opinion, Opinion::good);
  EXPECT_EQ(plan.vote.calls, 100U);
  EXPECT_EQ(plan.vote.failures, 3U);
  EXPECT_EQ(plan.vote.slow, 2U);
  self.suspect = true;
  decide();
  EXPECT_TRUE(plan.vote.self_suspect);
}

TEST_F(EdgeAmongOthers, votes_what_tripped_it_while_it_is_open) {
  share(standing(State::closed));
  trip();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(plan.vote.opinion, Opinion::bad);
    EXPECT_EQ(plan.vote.why, "20 of 20 calls failed");
    EXPECT_EQ(plan.vote.calls, 20U);
    EXPECT_EQ(plan.vote.failures, 20U);
    EXPECT_EQ(plan.vote.epoch, kEpoch);
    pass(1s);
  }
  EXPECT_EQ(plan.state, State::half_open);
  for (int i = 0; i < 3; ++i) end_probe(true);
  EXPECT_EQ(plan.state, State::ramp);
  EXPECT_EQ(plan.vote.opinion, Opinion::none);
}

TEST_F(EdgeAmongOthers, has_no_vote_any_more_when_nobody_calls) {
  share(standing(State::closed));
  trip();
  for (int i = 0; i < 20; ++i) {
    observe({.refused = 1});
    pass(1s);
    EXPECT_EQ(plan.vote.opinion, Opinion::bad) << "somebody wants to call";
  }
  pass(settings.window + 1s);
  EXPECT_EQ(plan.vote.opinion, Opinion::none);
  observe({.refused = 1});
  EXPECT_EQ(plan.vote.opinion, Opinion::bad) << "somebody does again";
}

TEST_F(EdgeAmongOthers, refuses_its_own_calls_where_a_ramp_fails_for_it_alone) {
  share(standing(State::ramp));
  pass(8s);
  observe({.calls = 20, .failures = 20});
  EXPECT_EQ(plan.state, State::ramp);
  EXPECT_EQ(plan.allowed_permille, 0U);
  pass(4s);
  EXPECT_NE(proposed(), "close");
  pass(settings.window);
  EXPECT_EQ(plan.allowed_permille, Gate::kAll) << "it tries again";
}

TEST_F(EdgeAmongOthers, does_not_vote_unless_it_shares) {
  settings.shared = false;
  change(settings);
  share(standing(State::closed));
  trip();
  EXPECT_EQ(plan.vote.opinion, Opinion::none);
  settings.shared = true;
  settings.mode = Mode::observe;
  change(settings);
  trip();
  EXPECT_EQ(plan.vote.opinion, Opinion::none);
}

TEST_F(EdgeAmongOthers, protects_itself_even_if_it_suspects_itself) {
  self.suspect = true;
  trip();
  EXPECT_EQ(plan.state, State::open);
  EXPECT_TRUE(plan.vote.self_suspect);
}

TEST_F(EdgeAmongOthers, proposes_to_open_for_all_when_enough_say_so) {
  share(standing(State::closed));
  vote(1, 2);
  EXPECT_EQ(proposed(), "");
  vote(2, 1);
  EXPECT_EQ(proposed(), "trip");
  EXPECT_EQ(plan.state, State::closed) << "nothing is decided yet";
  EXPECT_EQ(plan.proposal->why, "2 of 3 proxies: bad");
  EXPECT_EQ(plan.proposal->next.epoch, kEpoch + 1);
  EXPECT_EQ(plan.proposal->next.state, State::open);
  EXPECT_EQ(plan.proposal->next.total, 2U);
  commit();
  EXPECT_EQ(plan.state, State::open);
  EXPECT_TRUE(plan.shared);
  EXPECT_EQ(plan.epoch, kEpoch + 1);
  EXPECT_EQ(plan.allowed_permille, 0U);
  EXPECT_TRUE(plan.new_generation);
  EXPECT_EQ(proposed(), "");
  EXPECT_FALSE(plan.happened) << "it is no step of its own";
}

TEST_F(EdgeAmongOthers, begins_where_nothing_was_ever_decided_together) {
  vote(2, 0, 0);
  EXPECT_EQ(proposed(), "trip");
  EXPECT_EQ(plan.proposal->next.epoch, 1U);
  EXPECT_EQ(plan.epoch, 0U);
}

TEST_F(EdgeAmongOthers, does_not_open_for_all_what_may_not_be) {
  self.may_open = false;
  share(standing(State::closed));
  vote(3, 0);
  EXPECT_EQ(proposed(), "");
}

TEST_F(EdgeAmongOthers, does_not_propose_without_the_store_or_the_will) {
  share(standing(State::closed));
  vote(3, 0);
  edge.set_in_touch(false, now);
  decide();
  EXPECT_EQ(proposed(), "");
  edge.set_in_touch(true, now);
  for (const bool shared : {true, false}) {
    settings.shared = shared;
    settings.mode = shared ? Mode::observe : Mode::enforce;
    change(settings);
    vote(3, 0);
    EXPECT_EQ(proposed(), "");
  }
}

TEST_F(EdgeAmongOthers, obeys_what_is_shared_though_its_own_calls_go_well) {
  observe({.calls = 1'000});
  share(standing(State::open));
  EXPECT_EQ(plan.state, State::open);
  EXPECT_EQ(plan.reason, "2 of 3 proxies: all of it failed");
  EXPECT_EQ(plan.trips, 1U);
}

TEST_F(EdgeAmongOthers, does_not_obey_what_is_shared_when_it_does_not_share) {
  settings.shared = false;
  change(settings);
  share(standing(State::open));
  EXPECT_EQ(plan.state, State::closed);
  settings.shared = true;
  settings.mode = Mode::observe;
  change(settings);
  decide();
  EXPECT_EQ(plan.state, State::closed);
  EXPECT_FALSE(plan.shared);
}

TEST_F(EdgeAmongOthers, rests_its_own_standing_while_the_shared_one_shows) {
  trip();
  share(standing(State::open));
  EXPECT_TRUE(plan.shared);
  EXPECT_EQ(plan.vote.opinion, Opinion::none);
  Standing closed = standing(State::closed);
  closed.epoch = kEpoch + 3;
  share(closed);
  EXPECT_EQ(plan.state, State::closed);
  EXPECT_FALSE(plan.shared);
  EXPECT_TRUE(plan.new_generation);
  observe({.calls = 19, .failures = 19});
  EXPECT_EQ(plan.state, State::closed) << "it begins with a fresh window";
  observe({.calls = 1, .failures = 1});
  EXPECT_EQ(plan.state, State::open);
  EXPECT_EQ(plan.trips, 1U);
}

TEST_F(EdgeAmongOthers, forgets_its_calls_when_something_was_decided_that_it_missed) {
  share(standing(State::closed));
  observe({.calls = 19, .failures = 19});
  Standing later = standing(State::closed);
  later.epoch = kEpoch + 4;
  share(later);
  EXPECT_TRUE(plan.new_generation);
  observe({.calls = 1, .failures = 1});
  EXPECT_EQ(plan.state, State::closed);
}

TEST_F(EdgeAmongOthers, closes_for_all_after_the_ramp_and_a_while_by_chance) {
  share(standing(State::ramp));
  for (const unsigned allowed : {50U, 100U, 250U, 500U, 750U}) {
    EXPECT_EQ(plan.allowed_permille, allowed);
    EXPECT_EQ(proposed(), "");
    pass(2s);
  }
  EXPECT_EQ(plan.allowed_permille, Gate::kAll);
  EXPECT_LE(plan.look_again, now + 500ms);
  pass(500ms);
  EXPECT_EQ(proposed(), "close");
  commit();
  EXPECT_EQ(plan.state, State::closed);
  EXPECT_FALSE(plan.shared);
}

TEST_F(EdgeAmongOthers, opens_for_all_on_the_ramp_with_half_the_votes) {
  share(standing(State::ramp));
  observe({.calls = 20, .failures = 20});
  EXPECT_EQ(plan.state, State::ramp) << "its own standing rests";
  EXPECT_EQ(plan.vote.opinion, Opinion::bad);
  vote(1, 1);
  EXPECT_EQ(proposed(), "trip");
}

}  // namespace
}  // namespace holdfast::breaker

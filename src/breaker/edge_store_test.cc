// An edge among others: the store comes and goes, and so do overrides.
#include "breaker/edge_for_tests.h"

namespace holdfast::breaker {
namespace {

TEST_F(EdgeAmongOthers, stays_open_for_the_rest_of_its_time_when_the_store_is_lost) {
  share(standing(State::open, 10s));
  pass(4s);
  edge.set_in_touch(false, now);
  decide();
  EXPECT_EQ(plan.state, State::open);
  EXPECT_FALSE(plan.shared);
  EXPECT_EQ(plan.allowed_permille, 0U);
  pass(6s - 1ns);
  EXPECT_EQ(plan.state, State::open);
  pass(500ms);
  EXPECT_EQ(plan.state, State::half_open);
  EXPECT_EQ(offered, 1U) << "it probes for itself";
  for (int i = 0; i < 3; ++i) end_probe(true);
  EXPECT_EQ(plan.state, State::ramp);
  pass(10s);
  EXPECT_EQ(plan.state, State::closed);
}

TEST_F(EdgeAmongOthers, probes_for_itself_soon_when_the_store_is_lost_half_open) {
  share(standing(State::half_open));
  pass(1s);
  edge.set_in_touch(false, now);
  decide();
  EXPECT_EQ(plan.allowed_permille, 0U);
  pass(500ms);
  EXPECT_EQ(plan.state, State::half_open);
  EXPECT_EQ(offered, 1U);
}

TEST_F(EdgeAmongOthers, ramps_on_when_the_store_is_lost) {
  share(standing(State::ramp));
  pass(5s);
  edge.set_in_touch(false, now);
  decide();
  EXPECT_EQ(plan.state, State::ramp);
  EXPECT_EQ(plan.allowed_permille, 250U);
  pass(5s);
  EXPECT_EQ(plan.state, State::closed);
}

TEST_F(EdgeAmongOthers, stays_closed_when_the_store_is_lost_and_keeps_what_it_counted) {
  share(standing(State::closed));
  observe({.calls = 19, .failures = 19});
  edge.set_in_touch(false, now);
  decide();
  EXPECT_EQ(plan.state, State::closed);
  EXPECT_FALSE(plan.new_generation);
  observe({.calls = 1, .failures = 1});
  EXPECT_EQ(plan.state, State::open);
}

TEST_F(EdgeAmongOthers, obeys_again_when_the_store_is_back_and_has_something_newer) {
  share(standing(State::open, 10s));
  edge.set_in_touch(false, now);
  pass(11s);
  EXPECT_EQ(plan.state, State::half_open);
  Standing newer = standing(State::open, 5s);
  ++newer.epoch;
  share(newer);
  EXPECT_EQ(plan.state, State::open);
  EXPECT_TRUE(plan.shared);
  EXPECT_EQ(offered, 0U);
}

// A store that can be read and not written comes and goes every few seconds: it must not throw each ramp back.
TEST_F(EdgeAmongOthers, goes_on_with_what_it_learned_while_the_store_has_nothing_newer) {
  const Standing old = standing(State::open, 2s);
  share(old);
  edge.set_in_touch(false, now);
  pass(3s);
  for (int i = 0; i < 3; ++i) end_probe(true);
  EXPECT_EQ(plan.state, State::ramp);
  for (int i = 0; i < 5; ++i) {
    share(old);
    EXPECT_EQ(plan.state, State::ramp);
    EXPECT_EQ(proposed(), "");
    pass(1s);
    edge.set_in_touch(false, now);
    decide();
    pass(1s);
  }
  EXPECT_EQ(plan.state, State::closed);
}

TEST_F(EdgeAmongOthers, proposes_to_close_what_it_found_well_without_the_store) {
  const Standing old = standing(State::open, 2s);
  share(old);
  edge.set_in_touch(false, now);
  pass(3s);
  for (int i = 0; i < 3; ++i) end_probe(true);
  pass(10s);
  EXPECT_EQ(plan.state, State::closed);
  share(old);
  EXPECT_EQ(plan.state, State::closed);
  pass(200ms);
  EXPECT_EQ(proposed(), "close");
  EXPECT_EQ(plan.proposal->next.epoch, kEpoch + 1);
}

TEST_F(EdgeAmongOthers, does_not_take_the_end_of_an_override_for_having_found_it_well) {
  const Standing old = standing(State::open, 2s);
  share(old);
  edge.set_in_touch(false, now);
  decide();
  edge.set_override(Override{State::closed, "mara", "INC-7", {}});
  decide();
  edge.set_override(std::nullopt);
  share(old);
  EXPECT_EQ(plan.state, State::open);
  EXPECT_TRUE(plan.shared);
}

TEST_F(EdgeAmongOthers, goes_on_alone_when_it_no_longer_shares) {
  share(standing(State::open, 10s));
  settings.shared = false;
  change(settings);
  decide();
  EXPECT_EQ(plan.state, State::open);
  EXPECT_FALSE(plan.shared);
  pass(10'500ms);
  EXPECT_EQ(plan.state, State::half_open);
}

TEST_F(EdgeAmongOthers, proposes_that_an_override_ends_when_its_time_is_up) {
  share(standing(State::closed));
  edge.set_override(Override{State::open, "eva", "ten minutes", now + 10min});
  decide();
  vote(3, 0);
  EXPECT_EQ(proposed(), "") << "votes do not matter meanwhile";
  pass(10min);
  EXPECT_EQ(plan.state, State::open);
  EXPECT_EQ(proposed(), "expire");
  EXPECT_EQ(plan.proposal->next.state, State::open);
  EXPECT_EQ(plan.proposal->next.epoch, kEpoch + 1);
  EXPECT_TRUE(may_probe(plan.proposal->next, now));
  edge.set_override(std::nullopt);
  commit();
  EXPECT_EQ(plan.state, State::open);
  EXPECT_TRUE(plan.shared);
}

TEST_F(EdgeAmongOthers, leaves_the_shared_standing_when_an_override_that_held_it_closed_ends) {
  share(standing(State::closed));
  edge.set_override(Override{State::closed, "eva", "ten minutes", now + 10min});
  pass(10min);
  EXPECT_EQ(proposed(), "expire");
  EXPECT_EQ(plan.proposal->next.state, State::closed);
  EXPECT_EQ(plan.proposal->next.epoch, kEpoch + 1);
}

TEST_F(EdgeAmongOthers, does_without_an_override_that_nobody_takes_away) {
  share(standing(State::closed));
  edge.set_override(Override{State::open, "eva", "ten minutes", now + 10min});
  pass(10min);
  pass(5s - 1ns);
  EXPECT_EQ(plan.state, State::open);
  pass(1ns);
  EXPECT_EQ(plan.state, State::half_open);
  EXPECT_EQ(proposed(), "expire");
}

TEST_F(EdgeAmongOthers, does_not_believe_again_in_an_override_that_ended_without_the_store) {
  edge.set_override(Override{State::open, "eva", "ten minutes", now + 10min});
  decide();
  edge.set_in_touch(false, now);
  pass(10min);
  EXPECT_EQ(plan.state, State::half_open);
  share(standing(State::closed));
  EXPECT_EQ(plan.state, State::half_open);
  EXPECT_EQ(proposed(), "expire");
}

TEST_F(EdgeAmongOthers, shows_what_is_shared_when_an_operator_takes_back_his_word) {
  share(standing(State::open, 1min));
  edge.set_override(Override{State::closed, "eva", "it is well"});
  decide();
  EXPECT_EQ(plan.allowed_permille, Gate::kAll);
  EXPECT_EQ(plan.epoch, kEpoch);
  edge.set_override(std::nullopt);
  decide();
  EXPECT_EQ(plan.state, State::open);
  EXPECT_TRUE(plan.shared);
}

}  // namespace
}  // namespace holdfast::breaker

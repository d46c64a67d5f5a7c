// An edge among others: who probes for all, and when.
#include "breaker/edge_for_tests.h"

namespace holdfast::breaker {
namespace {

TEST_F(EdgeAmongOthers, steps_forward_to_probe_after_a_while_by_chance) {
  unsigned early = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Edge candidate("profile", settings, now, seed);
    candidate.set_in_touch(true, now);
    candidate.set_shared(standing(State::open), now);
    candidate.observe({.refused = 1}, {}, now + 2s);
    const Plan first = candidate.decide(self, now + 2s);
    EXPECT_LE(first.look_again, now + 2s + 200ms);
    const Plan half = candidate.decide(self, now + 2s + 100ms);
    early += half.proposal ? 1U : 0U;
    const Plan late = candidate.decide(self, now + 2s + 200ms);
    ASSERT_TRUE(late.proposal) << "seed " << seed;
    EXPECT_EQ(late.proposal->kind, Proposal::Kind::take_probe);
  }
  EXPECT_NEAR(early, 100, 30);
}

TEST_F(EdgeAmongOthers, does_not_probe_before_its_time) {
  share(standing(State::open));
  for (int i = 0; i < 19; ++i) pass_refusing(100ms);
  EXPECT_EQ(proposed(), "");
  EXPECT_EQ(plan.look_again, now + 100ms);
  pass_refusing(100ms);
  pass_refusing(200ms);
  EXPECT_EQ(proposed(), "take_probe");
  EXPECT_EQ(plan.proposal->next.state, State::half_open);
  EXPECT_EQ(plan.proposal->next.epoch, kEpoch + 1);
  EXPECT_EQ(plan.proposal->lease, 2s);
  EXPECT_EQ(offered, 0U) << "not before it holds the power";
}

TEST_F(EdgeAmongOthers, does_not_probe_what_nobody_wants) {
  share(standing(State::open));
  pass_refusing(1s);
  pass(2s + 1ns);
  pass(1s);
  EXPECT_EQ(proposed(), "");
  pass_refusing(1s);
  pass(200ms);
  EXPECT_EQ(proposed(), "take_probe");
}

TEST_F(EdgeAmongOthers, does_not_probe_while_somebody_else_does) {
  open_and_due();
  edge.set_prober(true, false);
  pass_refusing(200ms);
  EXPECT_EQ(proposed(), "");
  share(standing(State::half_open));
  for (int i = 0; i < 10; ++i) {
    pass_refusing(100ms);
    EXPECT_EQ(plan.allowed_permille, 0U);
    EXPECT_EQ(offered, 0U);
    EXPECT_EQ(proposed(), "");
  }
}

TEST_F(EdgeAmongOthers, takes_over_from_a_prober_that_is_gone) {
  share(standing(State::half_open));
  edge.set_prober(true, false);
  pass_refusing(1s);
  edge.set_prober(false, false);
  pass_refusing(1ms);
  pass(200ms);
  EXPECT_EQ(proposed(), "take_probe");
  EXPECT_EQ(plan.proposal->why, "who probed is gone");
  EXPECT_EQ(plan.proposal->next.epoch, kEpoch + 1);
}

TEST_F(EdgeAmongOthers, probes_for_all_and_ramps_up) {
  probe_for_all();
  EXPECT_EQ(plan.state, State::half_open);
  EXPECT_TRUE(plan.shared);
  EXPECT_TRUE(plan.new_generation);
  EXPECT_EQ(offered, 1U);
  EXPECT_EQ(plan.allowed_permille, 0U);
  for (unsigned i = 1; i <= 3; ++i) {
    EXPECT_EQ(offered, i);
    EXPECT_EQ(proposed(), "");
    end_probe(true);
  }
  EXPECT_EQ(proposed(), "ramp");
  EXPECT_EQ(plan.proposal->next.epoch, kEpoch + 2);
  EXPECT_EQ(plan.proposal->why, "3 probes went well");
  commit();
  EXPECT_EQ(plan.state, State::ramp);
  EXPECT_EQ(plan.allowed_permille, 50U);
  EXPECT_TRUE(plan.shared);
}

TEST_F(EdgeAmongOthers, opens_for_all_again_when_a_probe_fails) {
  probe_for_all();
  end_probe(true);
  end_probe(false);
  EXPECT_EQ(proposed(), "reopen");
  EXPECT_EQ(plan.proposal->next.total, 2U);
  commit();
  EXPECT_EQ(plan.state, State::open);
  EXPECT_EQ(plan.trips, 1U) << "it took no traffic";
}

TEST_F(EdgeAmongOthers, gives_up_probing_when_nobody_calls) {
  probe_for_all();
  pass(1s - 1ns);
  EXPECT_EQ(proposed(), "");
  EXPECT_EQ(plan.look_again, now + 1ns);
  pass(1ns);
  EXPECT_EQ(proposed(), "release");
  commit();
  EXPECT_EQ(plan.state, State::open);
  EXPECT_EQ(proposed(), "") << "nobody wanted to call for more than two seconds";
}

TEST_F(EdgeAmongOthers, gives_not_up_while_a_probe_is_under_way) {
  probe_for_all();
  pass(900ms);
  probes.taken = 1;
  pass(50ms);
  pass(200ms);
  EXPECT_EQ(proposed(), "");
}

TEST_F(EdgeAmongOthers, remembers_probes_that_went_well_where_calls_are_rare) {
  probe_for_all();
  end_probe(true);
  end_probe(true);
  pass(1s);
  EXPECT_EQ(proposed(), "release");
  commit();
  pass_refusing(1s);
  pass(200ms);
  EXPECT_EQ(proposed(), "take_probe");
  commit();
  EXPECT_EQ(offered, 1U);
  end_probe(true);
  EXPECT_EQ(proposed(), "ramp");
}

TEST_F(EdgeAmongOthers, always_sees_one_probe_anew) {
  probe_for_all();
  for (int i = 0; i < 3; ++i) end_probe(true);
  EXPECT_EQ(proposed(), "ramp");
  edge.set_prober(false, false);
  pass_refusing(1ms);
  pass(200ms);
  EXPECT_EQ(proposed(), "take_probe");
  commit();
  EXPECT_EQ(offered, 1U);
  EXPECT_EQ(proposed(), "");
}

TEST_F(EdgeAmongOthers, withdraws_its_probes_when_it_loses_the_power) {
  probe_for_all();
  edge.set_prober(false, false);
  pass(1ms);
  EXPECT_TRUE(plan.new_generation);
  EXPECT_EQ(offered, 0U);
  EXPECT_EQ(proposed(), "");
}

TEST_F(EdgeAmongOthers, spreads_probes_for_all_when_it_flaps) {
  Standing flapping = standing(State::open);
  flapping.flaps = {now, now - 1min, now - 2min};
  share(flapping);
  pass(2s);
  pass_refusing(1ms);
  pass(200ms);
  EXPECT_EQ(plan.proposal->lease, 22s);
  commit();
  end_probe(true);
  EXPECT_EQ(offered, 1U);
  pass(9s);
  EXPECT_EQ(proposed(), "") << "between two probes nobody is expected to call";
  pass(1s);
  EXPECT_EQ(offered, 2U);
}

}  // namespace
}  // namespace holdfast::breaker

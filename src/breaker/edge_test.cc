// An edge on its own: no store, no other proxies.
#include "breaker/edge.h"

#include "breaker/edge_for_tests.h"

namespace holdfast::breaker {
namespace {

using EdgeAlone = OneEdge;

TEST_F(EdgeAlone, is_closed_and_lets_all_through_at_first) {
  decide();
  EXPECT_EQ(plan.state, State::closed);
  EXPECT_EQ(plan.allowed_permille, Gate::kAll);
  EXPECT_EQ(plan.epoch, 0U);
  EXPECT_FALSE(plan.new_generation);
  EXPECT_FALSE(plan.shared);
  EXPECT_EQ(plan.look_again, now + 1s);
}

TEST_F(EdgeAlone, opens_when_its_calls_fail) {
  observe({.calls = 20, .failures = 9});
  EXPECT_EQ(plan.state, State::closed);
  observe({.calls = 2, .failures = 2});
  EXPECT_EQ(plan.state, State::open);
  EXPECT_EQ(plan.allowed_permille, 0U);
  EXPECT_TRUE(plan.new_generation);
  EXPECT_EQ(plan.trips, 1U);
  EXPECT_EQ(plan.since, now);
  EXPECT_EQ(plan.reason, "11 of 22 calls failed");
  EXPECT_EQ(happened(), "opened");
  EXPECT_EQ(plan.happened->why, "11 of 22 calls failed");
}

TEST_F(EdgeAlone, opens_when_its_calls_are_slow) {
  observe({.calls = 20, .slow = 20});
  EXPECT_EQ(plan.reason, "20 of 20 calls took longer than 300ms");
}

TEST_F(EdgeAlone, probes_when_it_has_been_open_for_long_enough) {
  trip();
  const Instant due = plan.look_again;
  EXPECT_LE(due, now + 1s);
  pass(1'500ms);
  EXPECT_EQ(plan.state, State::open);
  pass(900ms);
  EXPECT_EQ(plan.state, State::half_open);
  EXPECT_EQ(plan.allowed_permille, 0U);
  EXPECT_TRUE(plan.new_generation);
  EXPECT_EQ(plan.offer_probes, 1U);
  EXPECT_EQ(happened(), "half-opened");
}

TEST_F(EdgeAlone, looks_again_at_the_moment_when_it_may_be_probed) {
  trip();
  for (int i = 0; i < 5 && plan.state == State::open; ++i) {
    now = plan.look_again;
    decide();
  }
  EXPECT_EQ(plan.state, State::half_open);
  EXPECT_GE(now - kTestStart, 1'600ms);
  EXPECT_LE(now - kTestStart, 2'400ms);
}

TEST_F(EdgeAlone, offers_one_probe_after_another) {
  trip();
  expire_open_for();
  EXPECT_EQ(offered, 1U);
  pass(50ms);
  EXPECT_EQ(offered, 1U);
  end_probe(true);
  EXPECT_EQ(offered, 2U);
  end_probe(true);
  EXPECT_EQ(offered, 3U);
  EXPECT_EQ(plan.state, State::half_open);
  end_probe(true);
  EXPECT_EQ(plan.state, State::ramp);
  EXPECT_EQ(plan.allowed_permille, 50U);
  EXPECT_EQ(happened(), "ramps up");
  EXPECT_EQ(plan.reason, "3 probes went well");
}

TEST_F(EdgeAlone, opens_again_when_a_probe_fails) {
  trip();
  expire_open_for();
  end_probe(true);
  end_probe(false);
  EXPECT_EQ(plan.state, State::open);
  EXPECT_EQ(plan.trips, 1U);
  EXPECT_EQ(happened(), "opened");
  pass(1'550ms);
  EXPECT_EQ(plan.state, State::open);
  pass(900ms);
  EXPECT_EQ(plan.state, State::half_open);
  end_probe(true);
  EXPECT_EQ(plan.state, State::half_open) << "good ones of before do not count";
}

TEST_F(EdgeAlone, takes_a_probe_that_never_ends_for_a_failed_one) {
  trip();
  expire_open_for();
  probes.taken = 1;
  pass(50ms);
  pass(300ms);
  EXPECT_EQ(plan.state, State::half_open);
  pass(1ms);
  EXPECT_EQ(plan.state, State::open);
  EXPECT_EQ(plan.reason, "a probe took longer than 300ms");
}

TEST_F(EdgeAlone, waits_for_another_when_a_probe_came_back) {
  trip();
  expire_open_for();
  probes.taken = 1;
  pass(50ms);
  probes.taken = 0;
  pass(50ms);
  pass(10s);
  EXPECT_EQ(plan.state, State::half_open);
  EXPECT_EQ(offered, 1U) << "the gate has put it back";
  end_probe(true);
  EXPECT_EQ(offered, 2U);
}

TEST_F(EdgeAlone, lets_any_call_be_a_probe_when_no_other_comes) {
  trip();
  expire_open_for();
  pass_refusing(499ms);
  EXPECT_FALSE(plan.any_probe);
  EXPECT_EQ(plan.look_again, now + 1ms);
  pass(1ms);
  EXPECT_TRUE(plan.any_probe);
  end_probe(true);
  EXPECT_FALSE(plan.any_probe) << "the next one waits again";
}

TEST_F(EdgeAlone, waits_for_a_harmless_probe_while_nobody_calls) {
  trip();
  expire_open_for();
  for (int i = 0; i < 10; ++i) {
    pass(1s);
    EXPECT_FALSE(plan.any_probe);
  }
}

TEST_F(EdgeAlone, ramps_up_and_closes) {
  trip();
  expire_open_for();
  for (int i = 0; i < 3; ++i) end_probe(true);
  for (const unsigned allowed : {50U, 100U, 250U, 500U, 750U}) {
    EXPECT_EQ(plan.allowed_permille, allowed);
    EXPECT_FALSE(plan.state != State::ramp);
    observe({.calls = 100, .failures = 30});
    pass(2s);
  }
  EXPECT_EQ(plan.state, State::closed);
  EXPECT_EQ(plan.allowed_permille, Gate::kAll);
  EXPECT_EQ(happened(), "closed");
  EXPECT_TRUE(plan.new_generation);
}

TEST_F(EdgeAlone, looks_again_at_each_step_of_the_ramp) {
  trip();
  expire_open_for();
  for (int i = 0; i < 3; ++i) end_probe(true);
  const Instant ramp = now;
  EXPECT_EQ(plan.look_again, ramp + 1s);
  now = ramp + 1'500ms;
  decide();
  EXPECT_EQ(plan.look_again, ramp + 2s);
}

TEST_F(EdgeAlone, opens_again_when_it_turns_bad_on_the_ramp) {
  trip();
  expire_open_for();
  for (int i = 0; i < 3; ++i) end_probe(true);
  pass(4s);
  observe({.calls = 20, .failures = 15});
  EXPECT_EQ(plan.state, State::open);
  EXPECT_EQ(plan.trips, 2U);
}

TEST_F(EdgeAlone, closes_at_once_without_a_ramp) {
  settings.ramp = 0s;
  change(settings);
  trip();
  expire_open_for();
  for (int i = 0; i < 3; ++i) end_probe(true);
  EXPECT_EQ(plan.state, State::closed);
  EXPECT_EQ(happened(), "closed");
}

TEST_F(EdgeAlone, judges_each_state_by_its_own_calls) {
  observe({.calls = 10, .failures = 1});
  trip();
  observe({.calls = 50, .failures = 50});
  expire_open_for();
  for (int i = 0; i < 3; ++i) end_probe(true);
  observe({.calls = 19, .failures = 19});
  EXPECT_EQ(plan.state, State::ramp) << "19 are too few, and those of before are forgotten";
}

TEST_F(EdgeAlone, spreads_probes_when_it_flaps) {
  for (int i = 0; i < 3; ++i) {
    trip();
    EXPECT_EQ(plan.state, State::open);
    for (int wait = 0; wait < 90 && plan.state == State::open; ++wait) pass(1s);
    if (i == 2) break;
    for (int good = 0; good < 3; ++good) end_probe(true);
    pass(10s);
    EXPECT_EQ(plan.state, State::closed);
  }
  EXPECT_EQ(plan.state, State::half_open);
  EXPECT_EQ(offered, 1U);
  end_probe(true);
  EXPECT_EQ(offered, 1U);
  pass(10s - 1ms);
  EXPECT_EQ(offered, 1U);
  EXPECT_EQ(plan.look_again, now + 1ms);
  pass(1ms);
  EXPECT_EQ(offered, 2U);
}

TEST_F(EdgeAlone, counts_failures_in_a_row_by_groups) {
  settings.consecutive_failures = 5;
  change(settings);
  observe({.calls = 3, .failures = 3});
  observe({.calls = 1, .failures = 1});
  observe({.calls = 2, .failures = 1});
  observe({.calls = 4, .failures = 4});
  EXPECT_EQ(plan.state, State::closed);
  observe({.calls = 1, .failures = 1});
  EXPECT_EQ(plan.state, State::open);
  EXPECT_EQ(plan.reason, "5 calls in a row failed");
}

TEST_F(EdgeAlone, counts_calls_in_a_row_that_become_slow_before_they_fail) {
  settings.consecutive_failures = 3;
  change(settings);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(plan.state, State::closed);
    observe({.calls = 1, .slow = 1});
    observe({.failures = 1, .unreachable = 1});
  }
  EXPECT_EQ(plan.state, State::open);
}

TEST_F(EdgeAlone, lets_all_through_when_it_is_switched_off) {
  trip();
  settings.mode = Mode::off;
  change(settings);
  decide();
  EXPECT_EQ(plan.state, State::closed);
  EXPECT_EQ(plan.allowed_permille, Gate::kAll);
  EXPECT_TRUE(plan.new_generation);
  trip();
  EXPECT_EQ(plan.state, State::closed);
  EXPECT_EQ(plan.vote.opinion, Opinion::none);
  settings.mode = Mode::enforce;
  change(settings);
  decide();
  EXPECT_EQ(plan.state, State::closed);
  trip();
  EXPECT_EQ(plan.state, State::open);
}

TEST_F(EdgeAlone, says_what_it_would_do_when_it_only_observes) {
  settings.mode = Mode::observe;
  change(settings);
  trip();
  EXPECT_EQ(happened(), "would open");
  EXPECT_EQ(plan.state, State::open);
  EXPECT_EQ(plan.allowed_permille, Gate::kAll);
  EXPECT_EQ(plan.vote.opinion, Opinion::none);
  expire_open_for();
  EXPECT_EQ(plan.state, State::half_open);
  EXPECT_EQ(offered, 0U);
  EXPECT_EQ(plan.allowed_permille, Gate::kAll);
  trip();
  EXPECT_EQ(happened(), "would open");
  EXPECT_EQ(plan.state, State::open);
  pass(5s);
  EXPECT_EQ(plan.state, State::half_open);
  observe({.calls = 20, .failures = 1});
  EXPECT_EQ(happened(), "would close");
  EXPECT_EQ(plan.state, State::closed);
}

TEST_F(EdgeAlone, forgets_its_calls_when_another_measure_is_set) {
  observe({.calls = 15, .slow = 15});
  settings.slow_call = 500ms;
  change(settings);
  observe({.calls = 15, .slow = 15});
  EXPECT_EQ(plan.state, State::closed);
  settings.window = 5s;
  change(settings);
  observe({.calls = 15, .slow = 15});
  EXPECT_EQ(plan.state, State::closed);
  settings.minimum_requests = 10;
  change(settings);
  decide();
  EXPECT_EQ(plan.state, State::open) << "what was counted counts by other thresholds too";
}

TEST_F(EdgeAlone, obeys_an_operator) {
  edge.set_override(Override{State::open, "eva", "database moves"});
  decide();
  EXPECT_EQ(plan.state, State::open);
  EXPECT_EQ(plan.allowed_permille, 0U);
  EXPECT_EQ(plan.reason, "open by eva: database moves");
  EXPECT_EQ(plan.since, now);
  EXPECT_FALSE(plan.happened);
  edge.set_override(Override{State::closed, "eva", "never mind"});
  decide();
  EXPECT_EQ(plan.allowed_permille, Gate::kAll);
  EXPECT_TRUE(plan.new_generation);
  trip();
  EXPECT_EQ(plan.state, State::closed) << "his word stands above what we see";
  EXPECT_EQ(plan.vote.opinion, Opinion::none);
}

TEST_F(EdgeAlone, obeys_an_operator_in_every_mode) {
  for (const Mode mode : {Mode::observe, Mode::off}) {
    settings.mode = mode;
    change(settings);
    edge.set_override(Override{State::open, "eva", "database moves"});
    decide();
    EXPECT_EQ(plan.allowed_permille, 0U);
    edge.set_override(std::nullopt);
    decide();
    EXPECT_EQ(plan.allowed_permille, Gate::kAll);
  }
}

TEST_F(EdgeAlone, probes_what_an_operator_no_longer_holds_open) {
  edge.set_override(Override{State::open, "eva", "database moves"});
  decide();
  edge.set_override(std::nullopt);
  decide();
  EXPECT_EQ(plan.state, State::half_open);
  EXPECT_EQ(plan.allowed_permille, 0U);
  EXPECT_EQ(offered, 1U);
}

TEST_F(EdgeAlone, is_closed_when_an_operator_no_longer_holds_it_closed) {
  trip();
  edge.set_override(Override{State::closed, "eva", "it is well"});
  decide();
  edge.set_override(std::nullopt);
  decide();
  EXPECT_EQ(plan.state, State::closed);
}

TEST_F(EdgeAlone, lets_an_override_end_by_itself_without_the_store) {
  edge.set_override(Override{State::open, "eva", "ten minutes", now + 10min});
  decide();
  pass(10min - 1ns);
  EXPECT_EQ(plan.state, State::open);
  EXPECT_EQ(plan.look_again, now + 1ns);
  pass(1ns);
  EXPECT_EQ(plan.state, State::half_open);
  EXPECT_EQ(offered, 1U);
}

}  // namespace
}  // namespace holdfast::breaker

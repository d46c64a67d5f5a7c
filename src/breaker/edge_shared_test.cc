// An edge among others: the shared standing, votes, probing for all, and the store that comes and goes.
#include "breaker/edge.h"
#include "breaker/edge_for_tests.h"

namespace holdfast::breaker {
namespace {

struct EdgeAmongOthers : OneEdge {
  static constexpr std::uint64_t kEpoch = 7;

  EdgeAmongOthers() { edge.set_in_touch(true, now); }

  Standing standing(State state, Duration open_for = 2s) const {
    return {.state = state,
            .epoch = kEpoch,
            .since = now,
            .open_for = open_for,
            .trips = 1,
            .total = 1,
            .reason = "2 of 3 proxies: all of it failed"};
  }
  void vote(unsigned bad, unsigned good, std::uint64_t epoch = kEpoch) {
    std::vector<Vote> votes;
    for (unsigned i = 0; i < bad + good; ++i) {
      votes.push_back({.opinion = i < bad ? Opinion::bad : Opinion::good, .calls = 100, .epoch = epoch, .why = "bad"});
    }
    edge.set_votes(std::move(votes));
    decide();
  }
  /// What was proposed is committed, and comes back from the store.
  void commit() {
    ASSERT_TRUE(plan.proposal);
    const Proposal proposal = *plan.proposal;
    edge.set_shared(proposal.next, now);
    const bool probing = proposal.kind == Proposal::Kind::take_probe;
    edge.set_prober(probing, probing);
    decide();
  }
  /// Shared open, and its time has passed; somebody wants to call.
  void open_and_due() {
    share(standing(State::open));
    pass(2s);
    observe({.refused = 1});
  }
  void probe_for_all() {
    open_and_due();
    pass(200ms);
    commit();
  }
};

// ------------------------------------------------------------------------------------------------------ the vote

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

// ------------------------------------------------------------------------------------------------------ tripping

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

// ------------------------------------------------------------------------------------------------------- probing

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
  EXPECT_EQ(plan.proposal->next.trips, 2U);
  commit();
  EXPECT_EQ(plan.state, State::open);
  EXPECT_EQ(plan.trips, 2U);
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

// ------------------------------------------------------------------------------------------------------ the ramp

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

// ------------------------------------------------------------------------------------------- without the store

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

TEST_F(EdgeAmongOthers, obeys_again_when_the_store_is_back) {
  share(standing(State::open, 10s));
  edge.set_in_touch(false, now);
  pass(11s);
  EXPECT_EQ(plan.state, State::half_open);
  share(standing(State::open, 5s));
  EXPECT_EQ(plan.state, State::open);
  EXPECT_TRUE(plan.shared);
  EXPECT_EQ(offered, 0U);
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

// ------------------------------------------------------------------------------------------------- an operator

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

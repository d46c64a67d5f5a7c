// OneEdge: an edge, its settings and its clock, for tests that tell a story of one proxy. EdgeAmongOthers: the same
// with a store, whose words it hears and into which its proposals go.
#pragma once

#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "breaker/edge.h"

namespace holdfast::breaker {

inline const Instant kTestStart{1h};

struct OneEdge : testing::Test {
  Settings settings{.slow_call = 300ms, .window = 10s, .open_for = 2s, .max_open_for = 60s, .probes = 3, .ramp = 10s};
  Instant now = kTestStart;
  Edge edge{"profile", settings, kTestStart, 1};
  Self self{.voters = 3};
  Probes probes{};
  Plan plan{};
  unsigned offered = 0;  ///< probes of this generation
  unsigned generations = 0;

  void change(const Settings& to) {
    settings = to;
    edge.set_settings(to, now);
  }

  /// Decides, as the keeper does; and that a second time changes nothing.
  const Plan& decide() {
    plan = edge.decide(self, now);
    if (plan.new_generation) {
      ++generations;
      offered = 0;
      probes = Probes{};
    }
    offered += plan.offer_probes;
    const Plan again = edge.decide(self, now);
    EXPECT_FALSE(again.new_generation);
    EXPECT_EQ(again.offer_probes, 0U);
    EXPECT_FALSE(again.happened.has_value());
    EXPECT_EQ(again.state, plan.state);
    EXPECT_EQ(again.allowed_permille, plan.allowed_permille);
    EXPECT_EQ(again.proposal.has_value(), plan.proposal.has_value());
    if (again.proposal && plan.proposal) {
      EXPECT_EQ(again.proposal->next, plan.proposal->next);
    }
    EXPECT_EQ(again.vote, plan.vote);
    EXPECT_GE(plan.look_again, now);
    EXPECT_LE(plan.look_again, now + 1s);
    EXPECT_EQ(edge.validate(), "");
    return plan;
  }
  const Plan& observe(const Tally& calls) {
    edge.observe(calls, probes, now);
    return decide();
  }
  const Plan& pass(Duration time) {
    now += time;
    return observe({});
  }
  /// Time passes, and calls are refused in it.
  const Plan& pass_refusing(Duration time) {
    now += time;
    return observe({.refused = 1});
  }

  void trip() { observe({.calls = 20, .failures = 20}); }
  void expire_open_for() { pass(3s); }
  const Plan& end_probe(bool well) {
    ++probes.taken;
    (well ? probes.well : probes.failed) += 1;
    return observe({.calls = 1, .failures = well ? 0U : 1U});
  }

  void share(const Standing& standing) {
    edge.set_in_touch(true, now);
    edge.set_shared(standing, now);
    decide();
  }
  std::string happened() const { return plan.happened ? plan.happened->what : ""; }
  std::string proposed() const {
    if (!plan.proposal) return "";
    constexpr const char* kWords[] = {"trip", "take_probe", "ramp", "reopen", "release", "close", "expire"};
    return kWords[static_cast<int>(plan.proposal->kind)];
  }
};

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

}  // namespace holdfast::breaker

#include "breaker/gate.h"

#include <gtest/gtest.h>

namespace holdfast::breaker {
namespace {

TEST(Gate, lets_all_through_at_first) {
  Gate gate;
  Prng prng(1);
  const Admission admission = gate.admit(true, prng);
  EXPECT_TRUE(admission.passed);
  EXPECT_FALSE(admission.probe);
  EXPECT_EQ(admission.generation, 0U);
  EXPECT_EQ(gate.allowed(), Gate::kAll);
}

TEST(Gate, lets_none_through_at_nought) {
  Gate gate;
  Prng prng(1);
  gate.begin_generation(0);
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(gate.admit(true, prng).passed);
  EXPECT_EQ(gate.generation(), 1U);
  EXPECT_EQ(gate.admit(true, prng).generation, 1U);
}

TEST(Gate, lets_its_share_through) {
  for (const unsigned allowed : {1U, 50U, 500U, 999U}) {
    Gate gate;
    Prng prng(7);
    gate.begin_generation(allowed);
    int passed = 0;
    for (int i = 0; i < 100'000; ++i) passed += gate.admit(false, prng).passed ? 1 : 0;
    EXPECT_NEAR(passed, allowed * 100, 1'000) << "seed 7, allowed " << allowed;
    EXPECT_GT(passed, 0);
    EXPECT_LT(passed, 100'000);
  }
}

TEST(Gate, changes_its_share_within_a_generation) {
  Gate gate;
  Prng prng(1);
  gate.begin_generation(50);
  gate.set_allowed(Gate::kAll);
  EXPECT_EQ(gate.generation(), 1U);
  EXPECT_EQ(gate.allowed(), Gate::kAll);
  EXPECT_TRUE(gate.admit(false, prng).passed);
}

TEST(Gate, gives_away_as_many_probes_as_were_offered) {
  Gate gate;
  Prng prng(1);
  gate.begin_generation(0);
  gate.offer_probes(2);
  EXPECT_FALSE(gate.admit(false, prng).passed) << "what must not fail is no probe";
  EXPECT_EQ(gate.probes_offered(), 2U);
  for (int i = 0; i < 2; ++i) {
    const Admission admission = gate.admit(true, prng);
    EXPECT_TRUE(admission.passed);
    EXPECT_TRUE(admission.probe);
  }
  EXPECT_FALSE(gate.admit(true, prng).passed);
  EXPECT_EQ(gate.probes_taken(), 2U);
  EXPECT_EQ(gate.probes_offered(), 0U);
}

TEST(Gate, lets_any_call_be_a_probe_if_it_is_told_to_for_a_generation) {
  Gate gate;
  Prng prng(1);
  gate.begin_generation(0);
  gate.let_any_probe();
  EXPECT_FALSE(gate.admit(false, prng).passed) << "none was offered";
  gate.offer_probes(2);
  EXPECT_TRUE(gate.admit(false, prng).probe);
  gate.probe_ended(1, true);
  EXPECT_EQ(gate.probes_well(), 1U);
  gate.begin_generation(0);
  gate.offer_probes(1);
  EXPECT_FALSE(gate.admit(false, prng).passed);
  EXPECT_TRUE(gate.admit(true, prng).probe);
}

TEST(Gate, gives_no_probes_away_while_it_lets_some_through) {
  Gate gate;
  Prng prng(1);
  gate.begin_generation(1);
  gate.offer_probes(10);
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(gate.admit(true, prng).probe);
  EXPECT_EQ(gate.probes_taken(), 0U);
}

TEST(Gate, counts_how_probes_ended) {
  Gate gate;
  Prng prng(1);
  gate.begin_generation(0);
  gate.offer_probes(3);
  for (int i = 0; i < 3; ++i) gate.admit(true, prng);
  gate.probe_ended(1, true);
  gate.probe_ended(1, false);
  gate.probe_returned(1);
  EXPECT_EQ(gate.probes_well(), 1U);
  EXPECT_EQ(gate.probes_failed(), 1U);
  EXPECT_EQ(gate.probes_taken(), 2U);
  EXPECT_TRUE(gate.admit(true, prng).probe) << "the one that came back";
  EXPECT_FALSE(gate.admit(true, prng).passed);
}

TEST(Gate, hears_nothing_of_probes_of_another_generation) {
  Gate gate;
  Prng prng(1);
  gate.begin_generation(0);
  gate.offer_probes(3);
  for (int i = 0; i < 2; ++i) gate.admit(true, prng);
  gate.begin_generation(0);
  gate.probe_ended(1, true);
  gate.probe_ended(1, false);
  gate.probe_returned(1);
  EXPECT_EQ(gate.probes_well(), 0U);
  EXPECT_EQ(gate.probes_failed(), 0U);
  EXPECT_EQ(gate.probes_taken(), 0U);
  EXPECT_EQ(gate.probes_offered(), 0U) << "what was offered is withdrawn";
  EXPECT_FALSE(gate.admit(true, prng).passed);
}

TEST(Gate, offers_a_limited_number_of_probes) {
  Gate gate;
  Prng prng(1);
  gate.begin_generation(0);
  gate.offer_probes(Gate::kProbesMax - 1);
  EXPECT_EQ(gate.probes_offered(), Gate::kProbesMax - 1);
  gate.admit(true, prng);
  gate.offer_probes(1);
  EXPECT_EQ(gate.probes_offered(), Gate::kProbesMax - 1);
  gate.offer_probes(1);
  EXPECT_EQ(gate.probes_offered(), Gate::kProbesMax - 1) << "with the one that was taken it is the most";
  EXPECT_EQ(gate.probes_taken(), 1U);
}

TEST(Gate, counts_its_generations_past_what_the_probes_remember) {
  Gate gate;
  Prng prng(1);
  for (int i = 0; i < 70'000; ++i) gate.begin_generation(0);
  EXPECT_EQ(gate.generation(), 70'000U);
  gate.offer_probes(1);
  EXPECT_TRUE(gate.admit(true, prng).probe);
  gate.probe_ended(70'000, true);
  EXPECT_EQ(gate.probes_well(), 1U);
}

}  // namespace
}  // namespace holdfast::breaker

#include "breaker/meter.h"

#include <deque>
#include <gtest/gtest.h>
#include <vector>

#include "breaker/circuit.h"

namespace holdfast::breaker {
namespace {

const Instant kStart{1h};
constexpr Duration kSlow = 300ms;

struct MeterTest : testing::Test {
  Gate gate{};
  Meter meter{gate};
  Prng prng{1};

  MeterTest() { meter.set_slow_call(kSlow); }

  void begin(Call& call, Instant now) { meter.begin(call, gate.admit(true, prng), now); }
  void begin_probe(Call& call, Instant now) {
    gate.begin_generation(0);
    gate.offer_probes(1);
    begin(call, now);
  }
};

TEST_F(MeterTest, counts_calls_as_they_end) {
  for (const Outcome outcome : {Outcome::success, Outcome::success, Outcome::failure, Outcome::unreachable}) {
    Call call;
    begin(call, kStart);
    EXPECT_TRUE(call.begun());
    EXPECT_EQ(meter.in_flight(), 1U);
    meter.end(call, outcome, kStart + kSlow - 1ns);
    EXPECT_FALSE(call.begun());
  }
  EXPECT_EQ(meter.tally(), (Tally{.calls = 4, .failures = 2, .unreachable = 1}));
  EXPECT_EQ(meter.in_flight(), 0U);
}

TEST_F(MeterTest, counts_what_was_refused_beside_the_calls) {
  meter.count_refusal();
  meter.count_refusal();
  EXPECT_EQ(meter.tally(), Tally{.refused = 2});
}

TEST_F(MeterTest, does_not_count_what_was_cancelled) {
  Call call;
  begin(call, kStart);
  meter.end(call, Outcome::cancelled, kStart + 1ms);
  EXPECT_EQ(meter.tally(), Tally{});
}

TEST_F(MeterTest, counts_a_call_as_slow_at_the_moment_it_is) {
  Call call;
  begin(call, kStart);
  meter.look_for_slow(kStart + kSlow - 1ns);
  EXPECT_EQ(meter.tally(), Tally{});
  meter.look_for_slow(kStart + kSlow);
  EXPECT_EQ(meter.tally(), (Tally{.calls = 1, .slow = 1}));
  meter.look_for_slow(kStart + kSlow + 1s);
  EXPECT_EQ(meter.tally(), (Tally{.calls = 1, .slow = 1}));
  EXPECT_EQ(meter.in_flight(), 1U);
  meter.end(call, Outcome::success, kStart + 2s);
  EXPECT_EQ(meter.tally(), (Tally{.calls = 1, .slow = 1}));
  EXPECT_EQ(meter.in_flight(), 0U);
}

TEST_F(MeterTest, counts_a_slow_call_once_and_its_failure_when_it_fails) {
  Call call;
  begin(call, kStart);
  meter.look_for_slow(kStart + kSlow);
  meter.end(call, Outcome::unreachable, kStart + 2s);
  EXPECT_EQ(meter.tally(), (Tally{.calls = 1, .failures = 1, .unreachable = 1, .slow = 1}));
}

TEST_F(MeterTest, sees_at_the_end_that_a_call_was_slow) {
  Call call;
  begin(call, kStart);
  meter.end(call, Outcome::success, kStart + kSlow);
  EXPECT_EQ(meter.tally(), (Tally{.calls = 1, .slow = 1}));
}

TEST_F(MeterTest, counts_slow_ones_when_another_begins) {
  Call hung;
  Call fresh;
  begin(hung, kStart);
  begin(fresh, kStart + kSlow);
  EXPECT_EQ(meter.tally(), (Tally{.calls = 1, .slow = 1}));
  meter.end(fresh, Outcome::success, kStart + kSlow + 1ms);
  meter.end(hung, Outcome::cancelled, kStart + 1s);
  EXPECT_EQ(meter.tally(), (Tally{.calls = 2, .slow = 1})) << "it was slow, whoever gave it up";
}

TEST_F(MeterTest, knows_no_slow_calls_until_it_is_told_when_they_are) {
  Meter untold(gate);
  Call call;
  untold.begin(call, gate.admit(true, prng), kStart);
  untold.look_for_slow(kStart + 24h);
  EXPECT_EQ(untold.tally(), Tally{});
  untold.end(call, Outcome::success, kStart + 24h);
}

TEST_F(MeterTest, does_not_count_calls_of_an_older_generation) {
  Call ended;
  Call hung;
  begin(ended, kStart);
  begin(hung, kStart);
  gate.begin_generation(Gate::kAll);
  meter.end(ended, Outcome::failure, kStart + 1ms);
  meter.look_for_slow(kStart + kSlow);
  meter.end(hung, Outcome::failure, kStart + 1s);
  EXPECT_EQ(meter.tally(), Tally{});
  EXPECT_EQ(meter.in_flight(), 0U);
}

TEST_F(MeterTest, cancels_a_call_that_dies) {
  {
    Call call;
    begin_probe(call, kStart);
    EXPECT_EQ(gate.probes_taken(), 1U);
  }
  EXPECT_EQ(meter.tally(), Tally{});
  EXPECT_EQ(meter.in_flight(), 0U);
  EXPECT_EQ(gate.probes_taken(), 0U);
  EXPECT_EQ(gate.probes_offered(), 1U);
  meter.look_for_slow(kStart + 1h);
}

TEST_F(MeterTest, reports_a_probe_that_went_well) {
  Call call;
  begin_probe(call, kStart);
  meter.end(call, Outcome::success, kStart + kSlow - 1ns);
  EXPECT_EQ(gate.probes_well(), 1U);
  EXPECT_EQ(gate.probes_failed(), 0U);
}

TEST_F(MeterTest, reports_a_probe_that_failed) {
  Call call;
  begin_probe(call, kStart);
  meter.end(call, Outcome::failure, kStart + 1ms);
  EXPECT_EQ(gate.probes_failed(), 1U);
}

TEST_F(MeterTest, reports_a_slow_probe_as_failed_at_once_and_once) {
  Call call;
  begin_probe(call, kStart);
  meter.look_for_slow(kStart + kSlow);
  EXPECT_EQ(gate.probes_failed(), 1U);
  meter.end(call, Outcome::success, kStart + 1s);
  EXPECT_EQ(gate.probes_failed(), 1U);
  EXPECT_EQ(gate.probes_well(), 0U);
}

TEST_F(MeterTest, leaves_a_slow_probe_failed_that_is_cancelled) {
  Call call;
  begin_probe(call, kStart);
  meter.look_for_slow(kStart + kSlow);
  meter.end(call, Outcome::cancelled, kStart + 1s);
  EXPECT_EQ(gate.probes_failed(), 1U);
  EXPECT_EQ(gate.probes_offered(), 0U);
}

TEST_F(MeterTest, says_nothing_of_a_probe_of_an_older_generation) {
  Call call;
  begin_probe(call, kStart);
  gate.begin_generation(0);
  gate.offer_probes(1);
  meter.look_for_slow(kStart + kSlow);
  meter.end(call, Outcome::success, kStart + 1s);
  EXPECT_EQ(gate.probes_well() + gate.probes_failed() + gate.probes_taken(), 0U);
}

TEST_F(MeterTest, lets_a_call_begin_again_after_its_end) {
  Call call;
  for (int i = 0; i < 3; ++i) {
    begin(call, kStart + i * 1s);
    meter.look_for_slow(kStart + i * 1s + kSlow);
    meter.end(call, Outcome::success, kStart + i * 1s + kSlow);
  }
  EXPECT_EQ(meter.tally(), (Tally{.calls = 3, .slow = 3}));
}

// Against a plain account of the same calls: ends in any order, slow ones, cancelled ones, new generations.
TEST_F(MeterTest, agrees_with_a_plain_account_of_random_calls) {
  struct Account {
    Call call{};
    Instant began{};
    std::uint32_t generation = 0;
    bool slow = false;
  };
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Gate own_gate;
    Meter own_meter(own_gate);
    own_meter.set_slow_call(kSlow);
    Prng random(seed);
    std::deque<Account> accounts;
    std::vector<Account*> free;
    std::vector<Account*> busy;
    Tally expected;
    Instant now = kStart;
    for (int step = 0; step < 2'000; ++step) {
      now += Duration(random.below(20'000'000));
      for (Account* each : busy) {
        if (each->slow || now - each->began < kSlow || each->generation != own_gate.generation()) continue;
        each->slow = true;
        expected += Tally{.calls = 1, .slow = 1};
      }
      const std::uint64_t what = random.below(100);
      if (what < 50) {
        if (free.empty()) free.push_back(&accounts.emplace_back());
        Account* account = free.back();
        free.pop_back();
        account->began = now;
        account->generation = own_gate.generation();
        account->slow = false;
        own_meter.begin(account->call, own_gate.admit(true, random), now);
        busy.push_back(account);
      } else if (what < 98 && !busy.empty()) {
        const std::size_t which = random.below(busy.size());
        Account* account = busy[which];
        busy.erase(busy.begin() + static_cast<std::ptrdiff_t>(which));
        free.push_back(account);
        const auto outcome = static_cast<Outcome>(random.below(4));
        own_meter.end(account->call, outcome, now);
        if (account->generation != own_gate.generation() || outcome == Outcome::cancelled) continue;
        expected += Tally{.calls = account->slow ? 0U : 1U,
                          .failures = outcome != Outcome::success ? 1U : 0U,
                          .unreachable = outcome == Outcome::unreachable ? 1U : 0U};
      } else {
        own_meter.look_for_slow(now);
        if (what == 99) own_gate.begin_generation(Gate::kAll);
      }
      own_meter.look_for_slow(now);
      ASSERT_EQ(own_meter.tally(), expected) << "seed " << seed << ", step " << step;
      ASSERT_EQ(own_meter.in_flight(), busy.size()) << "seed " << seed << ", step " << step;
    }
    accounts.clear();
  }
}

TEST(Circuit, sums_what_its_loops_count) {
  Circuit circuit("feed->profile", 3);
  Prng prng(1);
  circuit.set_slow_call(kSlow);
  Call first;
  Call second;
  circuit.meter(0).begin(first, circuit.gate().admit(true, prng), kStart);
  circuit.meter(2).begin(second, circuit.gate().admit(true, prng), kStart);
  EXPECT_EQ(circuit.in_flight(), 2U);
  circuit.meter(0).end(first, Outcome::failure, kStart);
  circuit.meter(2).look_for_slow(kStart + kSlow);
  circuit.meter(1).count_refusal();
  EXPECT_EQ(circuit.tally(), (Tally{.calls = 2, .failures = 1, .slow = 1, .refused = 1}));
  circuit.meter(2).end(second, Outcome::success, kStart + kSlow);
}

TEST(Circuit, is_named_after_who_calls_whom) {
  EXPECT_EQ(circuit_name("", "profile"), "profile");
  EXPECT_EQ(circuit_name("feed", "profile"), "feed->profile");
  EXPECT_EQ(Circuit("profile", 1).name(), "profile");
}

}  // namespace
}  // namespace holdfast::breaker

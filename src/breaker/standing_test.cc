#include "breaker/standing.h"

#include <gtest/gtest.h>

#include "breaker/gate.h"

namespace holdfast::breaker {
namespace {

const Instant kStart{1h};
const Settings kSettings{.window = 10s, .open_for = 2s, .max_open_for = 60s, .probes = 3, .ramp = 10s};

/// A run of trips out of the ramp, each at once after the last.
Standing tripped(const Settings& settings, unsigned times, Prng& prng) {
  Standing standing = trip(settings, Standing{}, "bad", kStart, prng);
  for (unsigned i = 1; i < times; ++i) {
    standing.flaps = {};
    const Standing ramp = begin_ramp(begin_probing(standing, "", kStart), "", kStart);
    standing = trip(settings, ramp, "bad again", kStart, prng);
  }
  return standing;
}

/// A probe has failed when it had been down for so long.
Standing probed_in_vain(const Settings& settings, Duration down, Prng& prng) {
  const Standing open{.state = State::open, .since = kStart, .open_for = down, .trips = 1, .total = 1};
  return trip(settings, begin_probing(open, "", kStart + down), "still bad", kStart + down, prng);
}

void expect_within_a_fifth(Duration length, Duration of) {
  EXPECT_GE(length, of / 5 * 4);
  EXPECT_LE(length, of / 5 * 6);
}

TEST(Standing, opens_with_a_new_epoch_and_a_reason) {
  Prng prng(1);
  const Standing open = trip(kSettings, Standing{.epoch = 7}, "20 of 20 calls failed", kStart, prng);
  EXPECT_EQ(open.state, State::open);
  EXPECT_EQ(open.epoch, 8U);
  EXPECT_EQ(open.since, kStart);
  EXPECT_EQ(open.trips, 1U);
  EXPECT_EQ(open.total, 1U);
  EXPECT_EQ(open.reason, "20 of 20 calls failed");
  EXPECT_EQ(open.flaps.front(), kStart);
  expect_within_a_fifth(open.open_for, 2s);
}

TEST(Standing, stays_open_twice_as_long_with_each_trip_in_a_row) {
  Prng prng(1);
  expect_within_a_fifth(tripped(kSettings, 2, prng).open_for, 4s);
  expect_within_a_fifth(tripped(kSettings, 5, prng).open_for, 32s);
  expect_within_a_fifth(tripped(kSettings, 6, prng).open_for, 60s);
  expect_within_a_fifth(tripped(kSettings, 1'000, prng).open_for, 60s);
}

TEST(Standing, is_asked_again_after_an_eighth_of_the_time_that_it_has_been_down) {
  Prng prng(1);
  expect_within_a_fifth(probed_in_vain(kSettings, 2s, prng).open_for, 2s);
  expect_within_a_fifth(probed_in_vain(kSettings, 16s, prng).open_for, 2s);
  expect_within_a_fifth(probed_in_vain(kSettings, 80s, prng).open_for, 10s);
  expect_within_a_fifth(probed_in_vain(kSettings, 24h, prng).open_for, 60s);
  EXPECT_EQ(probed_in_vain(kSettings, 20s, prng).trips, 1U) << "nothing flowed that could have tripped it";
  EXPECT_EQ(probed_in_vain(kSettings, 20s, prng).total, 2U);
}

TEST(Standing, is_found_well_within_an_eighth_of_the_outage_and_the_scatter) {
  Prng prng(1);
  for (const Duration outage : {10s, 20s, 60s, 200s}) {
    for (int run = 0; run < 100; ++run) {
      Standing standing = trip(kSettings, Standing{}, "bad", kStart, prng);
      Instant now = kStart + standing.open_for;
      while (now < kStart + outage) {
        standing = trip(kSettings, begin_probing(standing, "", now), "still bad", now, prng);
        now += standing.open_for;
      }
      const Duration lag = now - (kStart + outage);
      ASSERT_LE(lag, std::max<Duration>(outage / 8, kSettings.open_for) * 6 / 5);
    }
  }
}

TEST(Standing, knows_for_how_long_it_has_been_down) {
  Prng prng(1);
  Standing open = trip(kSettings, Standing{.since = kStart - 1h}, "", kStart, prng);
  EXPECT_EQ(open.down, 0s);
  open.open_for = 2s;
  const Standing probing = begin_probing(open, "", kStart + 3s);
  EXPECT_EQ(probing.down, 2s) << "for a second nobody asked";
  const Standing again = trip(kSettings, probing, "", kStart + 4s, prng);
  EXPECT_EQ(again.down, 2s);
  const Standing ramp = begin_ramp(begin_probing(again, "", kStart + 4s + again.open_for), "", kStart + 9s);
  EXPECT_EQ(ramp.down, 2s + again.open_for);
  EXPECT_EQ(trip(kSettings, ramp, "", kStart + 10s, prng).down, 0s);
  EXPECT_EQ(close(ramp, "", kStart + 17s).down, 0s);
}

TEST(Standing, does_not_take_it_for_down_while_nobody_asks) {
  Prng prng(1);
  const Standing open = trip(kSettings, Standing{}, "bad", kStart, prng);
  const Standing probed = begin_probing(open, "a call at last", kStart + 24h);
  expect_within_a_fifth(trip(kSettings, probed, "cold", kStart + 24h, prng).open_for, 2s);
  const Standing given_up = give_up_probing(probed, "nobody called", kStart + 25h);
  const Standing anew = begin_probing(given_up, "", kStart + 48h);
  expect_within_a_fifth(trip(kSettings, anew, "cold", kStart + 48h, prng).open_for, 2s);
}

TEST(Standing, may_be_probed_at_once_when_it_is_no_longer_held_open) {
  Prng prng(1);
  const Standing closed{.epoch = 7, .since = kStart - 1h};
  const Standing tripped = trip(kSettings, closed, "", kStart - 1h, prng);
  for (const Standing& before : {closed, tripped}) {
    const Standing open = open_to_be_probed(before, "released", kStart);
    EXPECT_EQ(open.state, State::open);
    EXPECT_EQ(open.epoch, before.epoch + 1);
    EXPECT_LE(open.down, 2400ms) << "nobody knows how it was meanwhile";
    EXPECT_TRUE(may_probe(open, kStart));
  }
}

TEST(Standing, never_opens_for_less_than_open_for_whatever_the_most_is) {
  Prng prng(1);
  expect_within_a_fifth(tripped({.open_for = 10s, .max_open_for = 3s}, 3, prng).open_for, 10s);
}

TEST(Standing, scatters_how_long_it_is_open) {
  Prng prng(3);
  Duration shortest = 1h;
  Duration longest{};
  for (int i = 0; i < 1'000; ++i) {
    const Duration length = trip(kSettings, Standing{}, "", kStart, prng).open_for;
    shortest = std::min(shortest, length);
    longest = std::max(longest, length);
    expect_within_a_fifth(length, 2s);
  }
  EXPECT_LT(shortest, 1'620ms) << "seed 3";
  EXPECT_GT(longest, 2'380ms) << "seed 3";
}

TEST(Standing, forgets_a_trip_for_each_window_that_it_was_closed) {
  Prng prng(1);
  const Standing closed{.since = kStart, .trips = 3, .total = 9};
  EXPECT_EQ(trip(kSettings, closed, "", kStart + 10s - 1ns, prng).trips, 4U);
  EXPECT_EQ(trip(kSettings, closed, "", kStart + 10s, prng).trips, 3U);
  EXPECT_EQ(trip(kSettings, closed, "", kStart + 30s, prng).trips, 1U);
  EXPECT_EQ(trip(kSettings, closed, "", kStart + 24h, prng).trips, 1U);
  EXPECT_EQ(trip(kSettings, closed, "", kStart + 24h, prng).total, 10U);
  const Standing ramp{.state = State::ramp, .since = kStart, .trips = 3};
  EXPECT_EQ(trip(kSettings, ramp, "", kStart + 24h, prng).trips, 4U);
}

TEST(Standing, flaps_when_it_trips_three_times_out_of_a_flow_within_five_minutes) {
  Prng prng(1);
  Standing standing;
  const auto out_of_a_flow = [&](Instant now) { standing = trip(kSettings, close(standing, "", now), "", now, prng); };
  out_of_a_flow(kStart);
  out_of_a_flow(kStart + 100s);
  EXPECT_FALSE(is_flapping(standing, kStart + 100s));
  out_of_a_flow(kStart + 5min);
  EXPECT_TRUE(is_flapping(standing, kStart + 5min));
  EXPECT_FALSE(is_flapping(standing, kStart + 5min + 1ns));
  expect_within_a_fifth(standing.open_for, 60s);
  EXPECT_EQ(standing.flaps, (std::array<Instant, 3>{kStart + 5min, kStart + 100s, kStart}));
  out_of_a_flow(kStart + 6min);
  EXPECT_EQ(standing.flaps.back(), kStart + 100s);
}

TEST(Standing, does_not_flap_while_its_probes_fail) {
  Prng prng(1);
  Standing standing = trip(kSettings, Standing{}, "bad", kStart, prng);
  for (int i = 0; i < 10; ++i) standing = trip(kSettings, begin_probing(standing, "", kStart), "", kStart, prng);
  EXPECT_FALSE(is_flapping(standing, kStart));
  EXPECT_EQ(standing.flaps[1], Instant{});
}

TEST(Standing, may_be_probed_when_it_has_been_open_for_long_enough) {
  const Standing open{.state = State::open, .since = kStart, .open_for = 2s};
  EXPECT_FALSE(may_probe(open, kStart + 2s - 1ns));
  EXPECT_TRUE(may_probe(open, kStart + 2s));
  EXPECT_FALSE(may_probe(Standing{}, kStart + 24h));
}

TEST(Standing, goes_from_one_state_to_the_next_by_epochs) {
  Prng prng(1);
  const Standing open = trip(kSettings, Standing{}, "bad", kStart, prng);
  const Standing probing = begin_probing(open, "open for 2s", kStart + 1s);
  EXPECT_EQ(probing.state, State::half_open);
  EXPECT_EQ(begin_probing(probing, "again", kStart + 2s).epoch, 3U);
  const Standing ramp = begin_ramp(probing, "3 probes went well", kStart + 2s);
  EXPECT_EQ(ramp.state, State::ramp);
  const Standing closed = close(ramp, "", kStart + 12s);
  EXPECT_EQ(closed.state, State::closed);
  EXPECT_EQ(closed.epoch, 4U);
  EXPECT_EQ(closed.since, kStart + 12s);
  EXPECT_EQ(closed.trips, 1U) << "they are forgotten by being closed, not by closing";
  EXPECT_EQ(closed.total, 1U);
}

TEST(Standing, may_be_probed_again_at_once_when_nobody_called) {
  Prng prng(1);
  const Standing probing = begin_probing(trip(kSettings, Standing{}, "", kStart, prng), "", kStart + 2s);
  const Standing open = give_up_probing(probing, "nobody called", kStart + 5s);
  EXPECT_EQ(open.state, State::open);
  EXPECT_TRUE(may_probe(open, kStart + 5s));
  EXPECT_EQ(open.trips, 1U);
  EXPECT_EQ(open.total, 1U);
}

TEST(Standing, ramps_up_in_steps) {
  const Standing ramp{.state = State::ramp, .since = kStart};
  const auto allowed = [&](Duration after) { return allowed_permille(kSettings, ramp, kStart + after); };
  EXPECT_EQ(allowed(0s), 50U);
  EXPECT_EQ(allowed(2s - 1ns), 50U);
  EXPECT_EQ(allowed(2s), 100U);
  EXPECT_EQ(allowed(4s), 250U);
  EXPECT_EQ(allowed(6s), 500U);
  EXPECT_EQ(allowed(8s), 750U);
  EXPECT_EQ(allowed(10s - 1ns), 750U);
  EXPECT_EQ(allowed(10s), Gate::kAll);
  EXPECT_FALSE(ramp_has_ended(kSettings, ramp, kStart + 10s - 1ns));
  EXPECT_TRUE(ramp_has_ended(kSettings, ramp, kStart + 10s));
  EXPECT_EQ(allowed_permille({.ramp = 0s}, ramp, kStart), Gate::kAll);
  EXPECT_TRUE(ramp_has_ended({.ramp = 0s}, ramp, kStart));
}

TEST(Standing, knows_when_its_ramp_lets_through_more) {
  const Standing ramp{.state = State::ramp, .since = kStart};
  EXPECT_EQ(next_ramp_step(kSettings, ramp, kStart), kStart + 2s);
  EXPECT_EQ(next_ramp_step(kSettings, ramp, kStart + 2s - 1ns), kStart + 2s);
  EXPECT_EQ(next_ramp_step(kSettings, ramp, kStart + 2s), kStart + 4s);
}

TEST(Standing, lets_all_through_closed_and_none_otherwise) {
  EXPECT_EQ(allowed_permille(kSettings, {.state = State::closed}, kStart), Gate::kAll);
  EXPECT_EQ(allowed_permille(kSettings, {.state = State::open}, kStart), 0U);
  EXPECT_EQ(allowed_permille(kSettings, {.state = State::half_open}, kStart), 0U);
  EXPECT_FALSE(ramp_has_ended(kSettings, Standing{}, kStart + 24h));
}

TEST(Probes, may_take_as_long_as_a_call_that_is_not_slow_but_five_seconds) {
  EXPECT_EQ(probe_timeout({.slow_call = 300ms}), 300ms);
  EXPECT_EQ(probe_timeout({.slow_call = 1min}), 1min) << "a shorter one would fail each call that is well";
}

TEST(Probes, are_spread_over_two_windows_when_it_flaps) {
  EXPECT_EQ(probe_pause(kSettings, false), 0s);
  EXPECT_EQ(probe_pause(kSettings, true), 10s);
  EXPECT_EQ(probe_pause({.window = 10s, .probes = 1}, true), 20s);
}

TEST(Probes, are_leased_for_as_long_as_a_run_takes_and_a_second) {
  EXPECT_EQ(probe_lease({.slow_call = 300ms, .probes = 3}, false), 2s);
  EXPECT_EQ(probe_lease({.slow_call = 1s, .probes = 3}, false), 4s);
  EXPECT_EQ(probe_lease({.slow_call = 300ms, .window = 10s, .probes = 3}, true), 22s);
  EXPECT_EQ(probe_lease({.slow_call = 300ms, .window = 10s, .probes = 1}, true), 2s);
}

}  // namespace
}  // namespace holdfast::breaker

// How a breaker behaves over minutes: what it must not open for, how soon it opens, how it lets calls return.
#include <algorithm>

#include "breaker/small_world_for_tests.h"

namespace holdfast::breaker {
namespace {

using Answer = SmallWorld::Answer;

const Settings kSettings{.slow_call = 300ms};
constexpr Answer kGood{5ms};
constexpr Answer kBad{5ms, Outcome::failure};
constexpr Answer kHung{10s, Outcome::unreachable};

/// Whether it happens, of so many thousandths of a percent.
bool happens(double percent, Prng& prng) { return prng.uniform() * 100 < percent; }

/// Answers a share of what is asked at full rate, at first `begin` of it and `growth` more each second; who is refused
/// waits in line.
struct ColdCallee {
  double rate;
  Duration back_at;
  double begin = 0.2;
  double growth = 0.05;
  double free_at = 0;

  double capacity(double seconds) const { return rate * std::min(1.2, begin + growth * std::max(seconds, 0.0)); }

  Answer operator()(Instant now, Prng& /*prng*/) {
    const auto since = std::chrono::duration<double>(now - (SmallWorld::start() + back_at)).count();
    if (since < 0) return kBad;
    free_at = std::max(free_at, since) + 1 / capacity(since);
    return {Duration(static_cast<Duration::rep>((free_at - since) * 1e9)) + 5ms};
  }
};

// unkey #6568: a breaker that counted failures, not their rate, refused 3 % of everything for such blips.
TEST(SmallWorld, does_not_open_for_a_few_slow_calls_of_many) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    SmallWorld world(
        kSettings, 840, [](Instant, Prng& prng) { return happens(0.14, prng) ? Answer{2s} : kGood; }, seed);
    world.run_until(10min);
    EXPECT_EQ(world.trips(), 0U) << "seed " << seed << "\n" << world.story();
    EXPECT_EQ(world.refused(), 0U);
    EXPECT_GT(world.passed(), 490'000U);
  }
}

TEST(SmallWorld, does_not_open_for_a_few_failures_of_few_calls) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    int failures = 0;
    SmallWorld world(
        kSettings, 1, [&failures](Instant, Prng& prng) { return happens(3, prng) && failures++ < 3 ? kBad : kGood; },
        seed);
    world.run_until(10min);
    EXPECT_EQ(world.trips(), 0U) << "seed " << seed << "\n" << world.story();
    EXPECT_GE(failures, 3);
  }
}

TEST(SmallWorld, does_not_open_where_calls_are_too_few_to_say) {
  SmallWorld world(kSettings, 1, [](Instant, Prng&) { return kBad; }, 1);
  world.run_until(10min);
  EXPECT_EQ(world.trips(), 0U);
}

// After ten good seconds the true rate is what is given, for a minute.
TEST(SmallWorld, opens_within_a_tenth_of_the_rate_that_was_set) {
  for (int percent = 31; percent <= 70; percent += 2) {
    unsigned opened = 0;
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      SmallWorld world(
          kSettings, 200,
          [percent](Instant now, Prng& prng) {
            return now > SmallWorld::start() + 10s && happens(percent, prng) ? kBad : kGood;
          },
          seed);
      world.run_until(70s);
      opened += world.trips() > 0 ? 1U : 0U;
    }
    if (percent <= 45) {
      EXPECT_EQ(opened, 0U) << percent << " %";
    }
    if (percent >= 55) {
      EXPECT_EQ(opened, 4U) << percent << " %";
    }
  }
}

TEST(SmallWorld, opens_soon_after_everything_hangs) {
  Duration slowest{};
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    const Duration hangs_at = 20s + 7ms * static_cast<int>(seed);
    SmallWorld world(
        kSettings, 200, [&](Instant now, Prng&) { return now >= SmallWorld::start() + hangs_at ? kHung : kGood; },
        seed);
    world.run_until(25s);
    EXPECT_GE(world.opened_at(), hangs_at);
    slowest = std::max(slowest, world.opened_at() - hangs_at);
  }
  EXPECT_LE(slowest, kSettings.slow_call + 200ms);
  RecordProperty("slowest_ms", static_cast<int>(slowest / 1ms));
}

TEST(SmallWorld, opens_soon_after_everything_fails) {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    const Duration fails_at = 20s + 7ms * static_cast<int>(seed);
    SmallWorld world(
        kSettings, 200, [&](Instant now, Prng&) { return now >= SmallWorld::start() + fails_at ? kBad : kGood; }, seed);
    world.run_until(25s);
    EXPECT_GE(world.opened_at(), fails_at);
    EXPECT_LE(world.opened_at() - fails_at, 300ms) << "seed " << seed;
  }
}

// rubyist/circuitbreaker #31: detection of flapping, wished for since 2016.
TEST(SmallWorld, does_not_flap_with_what_flaps) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SmallWorld world(
        kSettings, 200, [](Instant now, Prng&) { return (now - SmallWorld::start()) / 10s % 2 == 0 ? kGood : kBad; },
        seed);
    world.run_until(5min);
    EXPECT_LE(world.changes(), 6U) << "seed " << seed << "\n" << world.story();
    EXPECT_GE(world.trips(), 3U) << "seed " << seed << "\n" << world.story();
  }
}

TEST(SmallWorld, lets_a_cold_callee_get_warm) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SmallWorld world(kSettings, 200, ColdCallee{.rate = 200, .back_at = 30s}, seed);
    world.run_until(30s);
    const unsigned trips = world.trips();
    world.run_until(2min);
    EXPECT_EQ(world.plan().state, State::closed) << "seed " << seed << "\n" << world.story();
    // One more is a probe that was under way, or failed, when the callee came back.
    EXPECT_LE(world.trips(), trips + 1) << "seed " << seed << "\n" << world.story();
  }
}

TEST(SmallWorld, lets_everything_flow_soon_after_the_callee_is_well) {
  const Settings quick{.slow_call = 300ms, .open_for = 1s, .max_open_for = 3s, .ramp = 4s};
  Duration slowest{};
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    SmallWorld world(
        quick, 200, [](Instant now, Prng&) { return now < SmallWorld::start() + 20s ? kBad : kGood; }, seed);
    world.run_until(20s);
    EXPECT_NE(world.plan().state, State::closed);
    while (world.plan().state != State::closed && world.time() < 60s) world.run_until(world.time() + 50ms);
    slowest = std::max(slowest, world.time() - 20s);
    const std::uint64_t refused = world.refused();
    world.run_until(80s);
    EXPECT_EQ(world.refused(), refused);
  }
  // A fifth more than max_open_for, three probes, the ramp.
  EXPECT_LE(slowest, 3'600ms + 300ms + 4s + 100ms);
  RecordProperty("slowest_ms", static_cast<int>(slowest / 1ms));
}

// A dry run must say the same as the real one would have done.
TEST(SmallWorld, would_open_when_it_opens) {
  const auto callee = [](Instant now, Prng&) { return now >= SmallWorld::start() + 20s ? kHung : kGood; };
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SmallWorld real(kSettings, 200, callee, seed);
    Settings dry = kSettings;
    dry.mode = Mode::observe;
    SmallWorld would(dry, 200, callee, seed);
    real.run_until(30s);
    would.run_until(30s);
    EXPECT_EQ(would.opened_at(), real.opened_at());
    EXPECT_EQ(would.refused(), 0U);
    EXPECT_GT(real.refused(), 0U);
  }
}

}  // namespace
}  // namespace holdfast::breaker

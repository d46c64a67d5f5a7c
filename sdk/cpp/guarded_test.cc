// One breaker of the client library: what is said of it, what it sees itself, and both together.
#include "guarded.h"

#include <gtest/gtest.h>
#include <thread>

namespace holdfast::sdk {
namespace {

constexpr std::int64_t kWall_us = 1'800'000'000'000'000;

struct ClientBreaker : testing::Test {
  ClientBreaker() {
    report.name = "feed->profile";
    report.settings.minimum_requests = 5;
    report.settings.window = 2s;
    report.settings.open_for = 1s;
    report.settings.max_open_for = 4s;
    report.settings.probes = 2;
    report.settings.ramp = 1s;
    report.since_us = kWall_us;
    guarded.set_in_touch(true);
    hear();
  }

  std::int64_t wall_us() const { return kWall_us + (now - begin) / 1us; }
  void hear() {
    guarded.hear(report, now, wall_us());
    guarded.look(now);
  }
  /// How many of so many calls are allowed.
  int call(breaker::Outcome outcome, int count) {
    int allowed = 0;
    for (int i = 0; i < count; ++i) {
      breaker::Call one;
      if (!guarded.begin(one, 0, true, now)) continue;
      ++allowed;
      guarded.end(one, 0, outcome, now);
    }
    return allowed;
  }
  void pass(Duration time) {
    for (const Instant until = now + time; now < until;) {
      now += 50ms;
      guarded.look(now);
    }
  }
  void report_state(breaker::State state) {
    report.state = state;
    report.since_us = wall_us();
    report.trips = 1;
    hear();
  }

  const Instant begin{1h};
  Instant now = begin;
  Report report;
  Guarded guarded{"profile", begin, 7};
};

TEST_F(ClientBreaker, without_a_report_all_pass_whatever_happens) {
  guarded.hear(std::nullopt, now, wall_us());
  pass(100ms);
  EXPECT_EQ(call(breaker::Outcome::failure, 100), 100);
  pass(5s);
  EXPECT_EQ(call(breaker::Outcome::failure, 100), 100);
  EXPECT_FALSE(guarded.is_known());
}

TEST_F(ClientBreaker, what_was_forced_open_and_is_gone_lets_all_pass) {
  report.forced = Report::Forced{breaker::State::open, "anna", "disk full", std::nullopt};
  report_state(breaker::State::open);
  EXPECT_EQ(call(breaker::Outcome::success, 10), 0);
  guarded.hear(std::nullopt, now, wall_us());
  pass(100ms);
  EXPECT_EQ(call(breaker::Outcome::success, 10), 10);
}

TEST_F(ClientBreaker, obeys_what_is_reported_and_its_ramp) {
  EXPECT_EQ(call(breaker::Outcome::success, 10), 10);
  report_state(breaker::State::open);
  EXPECT_EQ(call(breaker::Outcome::success, 100), 0);
  report_state(breaker::State::half_open);
  EXPECT_EQ(call(breaker::Outcome::success, 100), 0) << "proxies probe for all";
  report_state(breaker::State::ramp);
  const int some = call(breaker::Outcome::success, 1000);
  EXPECT_GT(some, 10);
  EXPECT_LT(some, 200);
  report_state(breaker::State::closed);
  EXPECT_EQ(call(breaker::Outcome::success, 100), 100);
}

TEST_F(ClientBreaker, obeys_an_operator_until_his_time_is_up) {
  report.forced = Report::Forced{breaker::State::open, "anna", "disk full", wall_us() + 3'000'000};
  report_state(breaker::State::open);
  EXPECT_EQ(call(breaker::Outcome::success, 10), 0);
  EXPECT_EQ(guarded.describe(), "open: open by anna: disk full");
  guarded.set_in_touch(false);
  pass(2900ms);
  EXPECT_EQ(call(breaker::Outcome::success, 10), 0);
  pass(10s);
  EXPECT_GT(call(breaker::Outcome::success, 10), 0) << "it is probed at least";
}

TEST_F(ClientBreaker, opens_by_itself_is_probed_and_closes_again) {
  EXPECT_EQ(call(breaker::Outcome::failure, 20), 20);
  pass(100ms);
  EXPECT_EQ(call(breaker::Outcome::success, 20), 0);
  EXPECT_EQ(guarded.allowed(), 0);
  pass(1500ms);
  int allowed = 0;
  for (int i = 0; i < 100; ++i) {
    allowed = call(breaker::Outcome::success, 20);
    pass(50ms);
  }
  EXPECT_EQ(allowed, 20);
  EXPECT_EQ(guarded.allowed(), 1);
}

TEST_F(ClientBreaker, a_call_that_hangs_counts_before_it_ends) {
  report.settings.slow_call = 300ms;
  hear();
  std::array<breaker::Call, 20> hanging;
  for (breaker::Call& each : hanging) EXPECT_TRUE(guarded.begin(each, 0, true, now));
  pass(500ms);
  EXPECT_EQ(call(breaker::Outcome::success, 10), 0);
  for (breaker::Call& each : hanging) guarded.end(each, 0, breaker::Outcome::success, now);
}

TEST_F(ClientBreaker, out_of_touch_it_goes_on_by_itself_from_what_was_open) {
  report_state(breaker::State::open);
  guarded.set_in_touch(false);
  pass(500ms);
  EXPECT_EQ(call(breaker::Outcome::success, 10), 0) << "for the rest of its time";
  for (int i = 0; i < 100; ++i) {
    call(breaker::Outcome::success, 20);
    pass(50ms);
  }
  EXPECT_EQ(call(breaker::Outcome::success, 20), 20);
}

TEST_F(ClientBreaker, what_all_forgot_to_probe_is_probed_here) {
  report_state(breaker::State::half_open);
  pass(7900ms);
  EXPECT_EQ(call(breaker::Outcome::success, 10), 0);
  for (int i = 0; i < 100; ++i) {
    call(breaker::Outcome::success, 20);
    pass(50ms);
  }
  EXPECT_EQ(call(breaker::Outcome::success, 20), 20);
}

TEST_F(ClientBreaker, threads_call_while_it_decides) {
  std::vector<std::thread> threads;
  for (unsigned shard = 0; shard < 4; ++shard) {
    threads.emplace_back([this, shard] {
      for (int i = 0; i < 20'000; ++i) {
        breaker::Call one;
        if (!guarded.begin(one, shard % 2, i % 2 == 0, begin)) continue;
        guarded.end(one, shard % 2, i % 3 == 0 ? breaker::Outcome::success : breaker::Outcome::failure, begin);
      }
    });
  }
  for (int i = 0; i < 200; ++i) {
    report_state(i % 3 == 0 ? breaker::State::open : breaker::State::closed);
    (void)guarded.describe();
    pass(100ms);
  }
  for (std::thread& each : threads) each.join();
}

}  // namespace
}  // namespace holdfast::sdk

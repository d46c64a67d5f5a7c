// SmallWorld: one proxy's breaker, those who call through it at a steady rate, and a callee that is a function of time.
// Events in order, a keeper that looks every 50 ms, no clock but its own, one seed.
#pragma once

#include <deque>
#include <functional>
#include <gtest/gtest.h>
#include <queue>
#include <string>
#include <vector>

#include "breaker/circuit.h"
#include "breaker/edge.h"

namespace holdfast::breaker {

class SmallWorld {
 public:
  struct Answer {
    Duration takes{};
    Outcome outcome = Outcome::success;
  };
  /// What a call that begins then gets.
  using Callee = std::function<Answer(Instant, Prng&)>;

  static constexpr Duration kTick = 50ms;

  SmallWorld(const Settings& settings, double calls_a_second, Callee callee, std::uint64_t seed)
      : seed_(seed),
        between_(static_cast<Duration::rep>(1e9 / calls_a_second)),
        callee_(std::move(callee)),
        prng_(seed),
        edge_("callee", settings, now_, seed) {
    circuit_.set_slow_call(settings.slow_call);
  }

  static Instant start() { return Instant{1h}; }

  void run_until(Duration since_start) {
    const Instant until = start() + since_start;
    while (now_ < until) {
      const Instant end = ends_.empty() ? kNever : ends_.top().at;
      now_ = std::min({next_call_, next_tick_, end, until});
      if (now_ == end) {
        end_call();
      } else if (now_ == next_tick_) {
        next_tick_ += kTick;
        keep();
      } else if (now_ == next_call_) {
        // Neither in step with the keeper nor with each other.
        next_call_ += between_ / 2 +
                      Duration(static_cast<Duration::rep>(prng_.below(static_cast<std::uint64_t>(between_.count()))));
        call();
      }
    }
  }

  Duration time() const { return now_ - start(); }
  const Plan& plan() const { return plan_; }
  Edge& edge() { return edge_; }
  std::uint64_t passed() const { return passed_; }
  std::uint64_t refused() const { return refused_; }
  unsigned trips() const { return trips_; }
  /// How often it went from letting calls flow to refusing them, and back.
  unsigned changes() const { return changes_; }
  /// When it opened first.
  Duration opened_at() const { return opened_at_; }
  const std::string& story() const { return story_; }

 private:
  struct End {
    Instant at{};
    Call* call = nullptr;
    Outcome outcome = Outcome::success;
    bool operator>(const End& other) const { return at > other.at; }
  };

  void call() {
    const Admission admission = circuit_.gate().admit(true, prng_);
    if (!admission.passed) {
      ++refused_;
      circuit_.meter(0).count_refusal();
      return;
    }
    ++passed_;
    if (free_.empty()) free_.push_back(&calls_.emplace_back());
    Call* call = free_.back();
    free_.pop_back();
    circuit_.meter(0).begin(*call, admission, now_);
    const Answer answer = callee_(now_, prng_);
    ends_.push({now_ + answer.takes, call, answer.outcome});
  }

  void end_call() {
    const End end = ends_.top();
    ends_.pop();
    circuit_.meter(0).end(*end.call, end.outcome, now_);
    free_.push_back(end.call);
  }

  void keep() {
    circuit_.meter(0).look_for_slow(now_);
    Gate& gate = circuit_.gate();
    Tally calls = circuit_.tally();
    calls -= std::exchange(counted_, circuit_.tally());
    edge_.observe(calls, {gate.probes_taken(), gate.probes_well(), gate.probes_failed()}, now_);
    plan_ = edge_.decide(Self{}, now_);
    ASSERT_EQ(edge_.validate(), "") << "seed " << seed_;
    if (plan_.new_generation) {
      gate.begin_generation(plan_.allowed_permille);
    } else {
      gate.set_allowed(plan_.allowed_permille);
    }
    gate.offer_probes(plan_.offer_probes);
    if (plan_.any_probe) gate.let_any_probe();
    if (std::exchange(flows_, plan_.allowed_permille > 0) != flows_) ++changes_;
    if (!plan_.happened) return;
    story_ += std::to_string(time() / 1ms) + "ms " + plan_.happened->what + ": " + plan_.happened->why + "\n";
    if (plan_.state != State::open) return;
    if (++trips_ == 1) opened_at_ = time();
  }

  std::uint64_t seed_;
  Duration between_;
  Callee callee_;
  Prng prng_;
  Instant now_ = start();
  Instant next_call_ = start();
  Instant next_tick_ = start() + kTick;
  Circuit circuit_{"callee", 1};
  Edge edge_;
  Plan plan_;
  Tally counted_;
  std::deque<Call> calls_;
  std::vector<Call*> free_;
  std::priority_queue<End, std::vector<End>, std::greater<>> ends_;
  std::uint64_t passed_ = 0;
  std::uint64_t refused_ = 0;
  unsigned trips_ = 0;
  unsigned changes_ = 0;
  bool flows_ = true;
  Duration opened_at_ = Duration::max();
  std::string story_;
};

}  // namespace holdfast::breaker

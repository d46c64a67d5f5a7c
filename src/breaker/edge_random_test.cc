// An edge that is told anything at all, in any order: its invariants hold, and the same twice changes nothing.
#include <gtest/gtest.h>
#include <string>

#include "breaker/edge.h"

namespace holdfast::breaker {
namespace {

class Anything {
 public:
  explicit Anything(std::uint64_t seed) : prng_(seed), edge_("callee", settings(), now_, seed) {}

  void step() {
    now_ += Duration(static_cast<Duration::rep>(prng_.below(500'000'000)));
    switch (prng_.below(12)) {
      case 0: edge_.set_settings(settings(), now_); break;
      case 1: edge_.set_override(override_word()); break;
      case 2: edge_.set_in_touch(likely(), now_); break;
      case 3: edge_.set_shared(shared(), now_); break;
      case 4: edge_.set_prober(likely(), likely()); break;
      case 5: edge_.set_votes({vote(), vote(), vote()}); break;
      default: break;
    }
    observe();
    decide();
  }

 private:
  bool likely() { return prng_.below(4) != 0; }
  Duration length(std::uint64_t ms_max) { return 1ms * static_cast<int>(1 + prng_.below(ms_max)); }

  Settings settings() {
    return {.mode = likely() ? Mode::enforce : static_cast<Mode>(prng_.below(3)),
            .failure_percent = static_cast<unsigned>(1 + prng_.below(100)),
            .slow_percent = static_cast<unsigned>(1 + prng_.below(100)),
            .slow_call = length(10'000),
            .minimum_requests = static_cast<unsigned>(prng_.below(30)),
            .consecutive_failures = static_cast<unsigned>(prng_.below(6)),
            .window = length(20'000),
            .open_for = length(5'000),
            .max_open_for = length(20'000),
            .probes = static_cast<unsigned>(prng_.below(5)),
            .ramp = likely() ? length(10'000) : 0s,
            .shared = likely()};
  }

  std::optional<Override> override_word() {
    if (prng_.below(2) == 0) return std::nullopt;
    Override word{likely() ? State::open : State::closed, "eva", "so"};
    if (likely()) word.until = now_ + length(5'000) - 1s;
    return word;
  }

  /// As a store may have it whose writers have other clocks, and went back in time.
  std::optional<Standing> shared() {
    if (!likely()) return std::nullopt;
    Standing standing{.state = static_cast<State>(prng_.below(4)),
                      .epoch = prng_.below(20),
                      .since = now_ + length(4'000) - 3s,
                      .open_for = length(5'000),
                      .trips = static_cast<unsigned>(prng_.below(100)),
                      .total = prng_.below(5),
                      .reason = "so"};
    if (!likely()) standing.flaps = {now_, now_ - 1min, now_ - 2min};
    return standing;
  }

  Vote vote() {
    return {.opinion = static_cast<Opinion>(prng_.below(3)), .calls = prng_.below(100), .epoch = prng_.below(20)};
  }

  void observe() {
    const std::uint64_t calls = prng_.below(40);
    const Tally tally{.calls = calls,
                      .failures = likely() ? prng_.below(calls / 4 + 1) : calls,
                      .slow = likely() ? prng_.below(calls / 4 + 1) : calls,
                      .refused = prng_.below(5)};
    if (probes_.taken < offered_ && likely()) ++probes_.taken;
    if (probes_.taken > probes_.well + probes_.failed && likely()) ++(likely() ? probes_.well : probes_.failed);
    edge_.observe(tally, probes_, now_);
  }

  void decide() {
    const Self self{.suspect = !likely(), .may_open = likely(), .voters = static_cast<unsigned>(prng_.below(5))};
    const Plan plan = edge_.decide(self, now_);
    if (plan.new_generation) {
      offered_ = 0;
      probes_ = Probes{};
    }
    offered_ += plan.offer_probes;
    ASSERT_EQ(edge_.validate(), "");
    ASSERT_LE(plan.allowed_permille, Gate::kAll);
    ASSERT_GE(plan.look_again, now_);
    ASSERT_LE(plan.look_again, now_ + 1s);
    ASSERT_FALSE(edge_.describe().empty());
    if (plan.proposal) {
      ASSERT_EQ(plan.proposal->next.epoch, plan.epoch + 1);
      ASSERT_FALSE(plan.proposal->why.empty());
    }
    const Plan again = edge_.decide(self, now_);
    ASSERT_FALSE(again.new_generation);
    ASSERT_EQ(again.offer_probes, 0U);
    ASSERT_FALSE(again.happened);
    ASSERT_EQ(again.state, plan.state);
    ASSERT_EQ(again.allowed_permille, plan.allowed_permille);
    ASSERT_EQ(again.any_probe, plan.any_probe);
    ASSERT_EQ(again.vote, plan.vote);
    ASSERT_EQ(again.proposal.has_value(), plan.proposal.has_value());
    if (plan.proposal) {
      ASSERT_EQ(again.proposal->next, plan.proposal->next);
    }
  }

  Prng prng_;
  Instant now_{1h};
  Edge edge_;
  Probes probes_;
  unsigned offered_ = 0;
};

TEST(Edge, holds_its_invariants_whatever_it_is_told) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Anything anything(seed);
    for (int i = 0; i < 500 && !testing::Test::HasFatalFailure(); ++i) anything.step();
    ASSERT_FALSE(testing::Test::HasFatalFailure()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace holdfast::breaker

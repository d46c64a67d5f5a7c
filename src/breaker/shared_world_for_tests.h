// SharedWorld: five proxies in two zones, one store, a callee. In order it is a small cluster; in chaos calls fail,
// ways break, the store comes and goes, operators speak, news come late, and whatever happens the rules must hold.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "breaker/edge.h"

namespace holdfast::breaker {

inline constexpr std::size_t kProxies = 5;

/// What stands in the store.
struct Store {
  std::optional<Standing> standing{};
  std::array<Vote, kProxies> votes{};
  std::optional<Override> override{};
  std::optional<std::size_t> prober{};
  Instant lease_ends{};
};

struct Proxy {
  Edge edge;
  bool in_touch = true;
  bool way_is_broken = false;
  Plan plan{};
  Probes probes{};
  unsigned offered = 0;
};

class SharedWorld {
 public:
  static constexpr Duration kTick = 50ms;

  SharedWorld(const Settings& settings, std::uint64_t seed) : prng_(seed) {
    for (std::size_t i = 0; i < kProxies; ++i) {
      proxies_.push_back({.edge = Edge("callee", settings, now_, seed * 100 + i)});
      proxies_.back().edge.set_in_touch(true, now_);
    }
    lease_max_ = probe_lease(settings, true);
  }

  /// Chaos: whatever can go wrong may.
  void tick(bool chaos) {
    now_ += kTick;
    if (chaos) disturb();
    if (store_.prober && now_ >= store_.lease_ends) store_.prober.reset();
    for (std::size_t i = 0; i < kProxies; ++i) {
      Proxy& proxy = proxies_[i];
      if (!chaos || prng_.below(3) != 0) tell(proxy, i);
      proxy.edge.observe(call(proxy, chaos), proxy.probes, now_);
      decide(proxy, i, chaos);
    }
  }

  /// Ticks of an orderly world.
  void pass(Duration time) {
    for (Duration passed{}; passed < time; passed += kTick) tick(false);
  }

  void set_callee_is_bad(bool is_bad) { callee_is_bad_ = is_bad; }
  Proxy& proxy(std::size_t index) { return proxies_[index]; }
  State shared_state() const { return store_.standing ? store_.standing->state : State::closed; }
  /// Of all proxies, since the beginning.
  std::uint64_t probes_taken() const { return probes_taken_; }

  void calm_down() {
    callee_is_bad_ = false;
    store_.override.reset();
    for (Proxy& proxy : proxies_) {
      proxy.way_is_broken = false;
      if (!std::exchange(proxy.in_touch, true)) proxy.edge.set_in_touch(true, now_);
    }
  }

  bool all_closed() const {
    return std::ranges::all_of(proxies_, [](const Proxy& each) { return each.plan.state == State::closed; });
  }
  const std::string& broken() const { return broken_; }
  unsigned steps() const { return steps_; }
  std::string describe() const {
    std::string text = store_.standing ? std::string(to_string(store_.standing->state)) : "nothing";
    for (const Proxy& each : proxies_) text += "\n" + each.edge.describe();
    return text;
  }

  /// Three proxies stand in one zone, two in another.
  static const char* zone(std::size_t index) { return index < 3 ? "a" : "b"; }

 private:
  void disturb() {
    if (prng_.below(100) == 0) callee_is_bad_ = !callee_is_bad_;
    if (prng_.below(400) == 0) {
      const std::size_t actor = prng_.below(3);
      if (actor == 0) store_.override.reset();
      if (actor == 1) store_.override = Override{State::open, "eva", "so", now_ + 1s * prng_.below(20)};
      if (actor == 2) store_.override = Override{State::closed, "eva", "so", now_ + 1s * prng_.below(20)};
    }
    for (Proxy& proxy : proxies_) {
      if (prng_.below(200) == 0) proxy.way_is_broken = !proxy.way_is_broken;
      if (prng_.below(200) != 0) continue;
      proxy.in_touch = !proxy.in_touch;
      proxy.edge.set_in_touch(proxy.in_touch, now_);
    }
  }

  void tell(Proxy& proxy, std::size_t index) {
    if (!proxy.in_touch) return;
    proxy.edge.set_shared(store_.standing, now_);
    proxy.edge.set_override(store_.override);
    proxy.edge.set_prober(store_.prober.has_value(), store_.prober == index);
    proxy.edge.set_votes({store_.votes.begin(), store_.votes.end()});
  }

  Tally call(Proxy& proxy, bool chaos) {
    const std::uint64_t wanted = chaos ? prng_.below(20) : 10;
    const bool fails = callee_is_bad_ || proxy.way_is_broken;
    Tally calls;
    for (std::uint64_t i = 0; i < wanted; ++i) {
      if (prng_.below(Gate::kAll) < proxy.plan.allowed_permille) {
        ++calls.calls;
        if (fails) ++calls.failures;
      } else if (proxy.offered > 0) {
        --proxy.offered;
        ++proxy.probes.taken;
        ++probes_taken_;
      } else {
        ++calls.refused;
      }
    }
    const bool in_flight = proxy.probes.taken > proxy.probes.well + proxy.probes.failed;
    if (!in_flight || (chaos && prng_.below(4) == 0)) return calls;
    ++(fails ? proxy.probes.failed : proxy.probes.well);
    return calls;
  }

  void decide(Proxy& proxy, std::size_t index, bool chaos) {
    const Self self{.suspect = chaos && proxy.way_is_broken && prng_.below(2) == 0, .voters = kProxies};
    proxy.plan = proxy.edge.decide(self, now_);
    const Plan& plan = proxy.plan;
    expect(proxy.edge.validate().empty(), proxy.edge.validate());
    if (plan.new_generation) {
      proxy.offered = 0;
      proxy.probes = Probes{};
    }
    proxy.offered += plan.offer_probes;
    expect(proxy.offered <= 1, "probes are offered one by one");
    expect(plan.offer_probes == 0 || plan.allowed_permille == 0, "probes are offered when nothing else passes");
    expect(plan.offer_probes == 0 || plan.state == State::half_open, "probes are offered half open");
    expect(plan.look_again >= now_ && plan.look_again <= now_ + 1s, "it looks again soon, and not before now");
    expect(!plan.proposal || proxy.in_touch, "who cannot write proposes nothing");

    const Plan again = proxy.edge.decide(self, now_);
    expect(!again.new_generation && again.offer_probes == 0 && !again.happened, "the same again changes nothing");
    expect(again.state == plan.state && again.allowed_permille == plan.allowed_permille, "nor what shows");
    expect(again.proposal.has_value() == plan.proposal.has_value(), "nor what it proposes");

    if (proxy.in_touch) {
      store_.votes[index] = plan.vote;
      store_.votes[index].zone = zone(index);
    }
    if (plan.proposal && (!chaos || prng_.below(3) != 0)) commit(*plan.proposal, index);
  }

  /// As a transaction would: only if what it rests on still stands.
  void commit(const Proposal& proposal, std::size_t index) {
    const Standing before = store_.standing.value_or(Standing{});
    const bool is_prober = store_.prober == index;
    if (proposal.next.epoch != before.epoch + 1) return;
    switch (proposal.kind) {
      case Proposal::Kind::expire:
        if (!store_.override || !store_.override->until || now_ < *store_.override->until) return;
        store_.override.reset();
        break;
      case Proposal::Kind::take_probe:
        if (store_.prober) return;
        store_.prober = index;
        store_.lease_ends = now_ + proposal.lease;
        expect(proposal.lease > 0s && proposal.lease <= lease_max_, "a lease has a length");
        expect(before.state == State::open || before.state == State::half_open, "only what is open is probed");
        break;
      case Proposal::Kind::ramp:
      case Proposal::Kind::reopen:
      case Proposal::Kind::release:
        if (!is_prober) return;
        expect(before.state == State::half_open, "a prober's word is about half open");
        store_.prober.reset();
        break;
      case Proposal::Kind::trip:
        expect(before.state == State::closed || before.state == State::ramp, "only a flow trips");
        break;
      case Proposal::Kind::close:
        expect(before.state == State::ramp ||
                   proxies_[index].edge.describe().find("closed on its own") != std::string::npos,
               "only a ramp ends closed, or who found it well without the store says so");
        store_.prober.reset();
        break;
    }
    store_.standing = proposal.next;
    ++steps_;
  }

  void expect(bool holds, const std::string& words) {
    if (!holds && broken_.empty()) broken_ = words + "\n" + describe();
  }

  Prng prng_;
  Instant now_{1h};
  std::vector<Proxy> proxies_;
  Store store_;
  Duration lease_max_;
  bool callee_is_bad_ = false;
  std::string broken_;
  unsigned steps_ = 0;
  std::uint64_t probes_taken_ = 0;
};

}  // namespace holdfast::breaker

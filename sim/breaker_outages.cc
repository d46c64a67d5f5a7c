#include "breaker_experiments.h"
#include "guard/world_for_tests.h"

namespace holdfast::sim {
namespace {

using breaker::State;
using guard::Callee;
using guard::Flow;
using guard::World;

constexpr const char* kName = "profile";
constexpr std::uint64_t kRuns = 20;

void begin(World& world, std::size_t nodes, double rate) {
  world.add_callee(kName);
  world.add_nodes(nodes, {"z1", "z2"});
  world.call_from_all(kName, rate);
  world.run(15s);
}

std::string of(std::uint64_t count) { return std::to_string(count) + " of " + std::to_string(kRuns); }

}  // namespace

std::vector<Row> slow_without_errors(std::uint64_t seed) {
  Duration worst{};
  bool always = true;
  for (std::uint64_t run = 0; run < kRuns; ++run) {
    World world(seed + run);
    begin(world, 5, 200);
    world.callees.at(kName)->latency = 10400ms;
    for (const auto& node : world.nodes) node->flow(kName).timeout = 30s;
    const auto took = world.run_until([&] { return world.all(kName, State::open); }, 20s);
    always = always && took.has_value();
    worst = std::max(worst, took.value_or(20s));
  }
  const Duration goal = 300ms + 300ms;
  return {{"3 slow without errors", "open everywhere <= slow_call (300 ms) + 300 ms",
           "worst of " + std::to_string(kRuns) + " runs " + in_ms(worst) + (always ? "" : ", not always"),
           always && worst <= goal}};
}

std::vector<Row> little_traffic_and_rare_time_outs(std::uint64_t seed) {
  World little(seed);
  begin(little, 5, 0.2);
  little.callees.at(kName)->failing = 0.05;
  little.run(10min);
  const std::uint64_t failed = little.sum(&Flow::failed, kName, little.start, little.now());
  const std::uint64_t little_refused = little.sum(&Flow::refused, kName, little.start, little.now());
  World rare(seed);
  begin(rare, 3, 280);
  rare.callees.at(kName)->hanging = 0.0014;
  rare.run(10min);
  const std::uint64_t timed_out = rare.sum(&Flow::failed, kName, rare.start, rare.now());
  const std::uint64_t rare_refused = rare.sum(&Flow::refused, kName, rare.start, rare.now());
  return {{"6 one call a second, 5 % fail, 10 min", "0 opens",
           std::to_string(little_refused) + " refused, " + std::to_string(failed) + " failed by themselves",
           little_refused == 0},
          {"6 840 calls a second, 0.14 % time out, 10 min", "0 opens",
           std::to_string(rare_refused) + " refused, " + std::to_string(timed_out) + " timed out", rare_refused == 0}};
}

std::vector<Row> poison(std::uint64_t seed) {
  std::uint64_t opened_by_one = 0;
  std::uint64_t lost_by_others = 0;
  std::uint64_t opened_by_zone = 0;
  std::uint64_t opened_by_three = 0;
  Duration worst{};
  for (std::uint64_t run = 0; run < kRuns; ++run) {
    World one(seed + run);
    begin(one, 5, 100);
    one.nodes[4]->flow(kName).is_cut = true;
    const Instant since = one.now();
    one.run(60s);
    opened_by_one += one.state(kName) ? 1U : 0U;
    for (std::size_t i = 0; i < 4; ++i) {
      const Flow& flow = one.nodes[i]->flow(kName);
      lost_by_others += flow.refused.between(since, one.now()) + flow.failed.between(since, one.now());
    }
    World zone(seed + run);
    begin(zone, 4, 100);
    zone.nodes[0]->flow(kName).is_cut = true;
    zone.nodes[2]->flow(kName).is_cut = true;
    zone.run(60s);
    opened_by_zone += zone.state(kName) ? 1U : 0U;
    World three(seed + run);
    begin(three, 5, 100);
    for (std::size_t i = 0; i < 3; ++i) three.nodes[i]->flow(kName).is_cut = true;
    const auto took = three.run_until([&] { return three.all(kName, State::open); }, 5s);
    opened_by_three += took ? 1U : 0U;
    worst = std::max(worst, took.value_or(5s));
  }
  return {{"7 poison: 1 of 5 proxies cut off, 60 s", "closed for all; the other four lose nothing",
           "opened in " + of(opened_by_one) + " runs, " + std::to_string(lost_by_others) + " calls lost by the others",
           opened_by_one == 0 && lost_by_others == 0},
          {"8 poison: 2 of 4, one zone, 60 s", "closed for all", "opened in " + of(opened_by_zone) + " runs",
           opened_by_zone == 0},
          {"8 poison: 3 of 5 over two zones", "open everywhere <= 1 s",
           "in " + of(opened_by_three) + " runs, worst " + in_ms(worst), opened_by_three == kRuns && worst <= 1s}};
}

std::vector<Row> store_loss(std::uint64_t seed) {
  const auto cut = [](World& world, bool is_cut) {
    for (const auto& node : world.nodes) node->link->is_cut = is_cut;
  };
  World closed(seed);
  begin(closed, 5, 200);
  const Instant since = closed.now();
  cut(closed, true);
  closed.run(60s);
  cut(closed, false);
  closed.run(10s);
  const std::uint64_t lost =
      closed.sum(&Flow::refused, kName, since, closed.now()) + closed.sum(&Flow::failed, kName, since, closed.now());

  World open(seed);
  begin(open, 5, 200);
  Callee& callee = *open.callees.at(kName);
  callee.failing = 1;
  open.run_until([&] { return open.all(kName, State::open); }, 5s);
  open.run(500ms);
  const Instant lost_at = open.now();
  cut(open, true);
  open.run(1s);
  const std::uint64_t reached = callee.calls.between(lost_at, open.now());
  open.run(19s);
  callee.failing = 0;
  const auto recovered = open.run_until([&] { return open.all(kName, State::closed); }, 60s);
  return {{"15 store lost for 60 s while closed", "0 calls lost", std::to_string(lost) + " calls lost", lost == 0},
          {"15 store lost while open", "nothing passes at once; recovers by itself",
           std::to_string(reached) + " calls in the first second; closed " +
               (recovered ? in_ms(*recovered) + " after the callee was well" : "never"),
           reached == 0 && recovered.has_value()}};
}

}  // namespace holdfast::sim

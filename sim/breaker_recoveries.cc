#include <algorithm>
#include <limits>

#include "breaker_experiments.h"
#include "guard/keys.h"
#include "guard/world_for_tests.h"

namespace holdfast::sim {
namespace {

using breaker::State;
using guard::Callee;
using guard::Flow;
using guard::Node;
using guard::World;

constexpr const char* kName = "profile";
constexpr std::uint64_t kRuns = 20;

Callee& begin(World& world, std::size_t nodes, double rate) {
  Callee& callee = world.add_callee(kName);
  world.add_nodes(nodes, {"z1", "z2"});
  world.call_from_all(kName, rate);
  world.run(15s);
  return callee;
}

bool is_open(const World& world) { return world.all(kName, State::open); }

Node* find_prober(World& world) {
  const auto probe = world.engine.keyspace().records().find(guard::probe_key(kName));
  if (probe == world.engine.keyspace().records().end()) return nullptr;
  const Result<guard::ProbeRecord> record = guard::parse_probe(probe->second.value);
  for (const auto& node : world.nodes) {
    if (node->name == record->node) return node.get();
  }
  return nullptr;
}

// The instants at which the shared breaker took this state.
std::vector<Instant> times_of(const World& world, State state) {
  std::vector<Instant> times;
  for (const store::Record& each : world.history(guard::state_key(kName))) {
    const Result<guard::StateRecord> record = guard::parse_state(each.value);
    if (record->standing.state != state) continue;
    const auto ago = std::chrono::microseconds(world.wall_us() - record->since_us);
    times.push_back(world.now() - ago);
  }
  return times;
}

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

// Opens it, waits for somebody who probes, and has something happen to him: how long until the next one probes.
enum class Fate : std::uint8_t { hangs, killed, paused };
struct Takeover {
  std::optional<Duration> took{};
  bool stale_done = false;
};
Takeover take_over(std::uint64_t seed, Fate fate) {
  World world(seed);
  Callee& callee = begin(world, 5, 500);
  callee.failing = 1;
  world.run_until([&] { return is_open(world); }, 5s);
  callee.failing = 0;
  callee.hangs = fate != Fate::paused;
  callee.latency = 50ms;
  Node* first = nullptr;
  world.run_until([&] { return (first = find_prober(world)) != nullptr; }, 10s);
  if (first == nullptr) return {};
  const std::shared_ptr<guard::Link> link = first->link;
  if (fate == Fate::killed) first->kill();
  if (fate == Fate::paused) link->commits_late = 10s;
  const Instant since = world.now();
  const auto another = [&] {
    Node* now = find_prober(world);
    const bool has_begun = now != nullptr && now->flow(kName).probes.between(since, world.now() + 100ms) > 0;
    return has_begun && (now != first || times_of(world, State::half_open).size() > 1);
  };
  Takeover result{world.run_until(another, 30s), false};
  if (fate == Fate::paused) world.run(15s);
  result.stale_done = link->late_committed != 0;
  return result;
}

Row judge_takeover(const char* name, std::uint64_t seed, Fate fate, Duration goal, const std::string& goal_words) {
  Duration worst{};
  bool stale_done = false;
  for (std::uint64_t run = 0; run < kRuns; ++run) {
    const Takeover takeover = take_over(seed + run, fate);
    worst = std::max(worst, takeover.took.value_or(30s));
    stale_done = stale_done || takeover.stale_done;
  }
  const std::string stale =
      fate == Fate::paused ? (stale_done ? ", a stale verdict counted" : ", stale verdicts refused") : "";
  return {name, goal_words, "worst of " + std::to_string(kRuns) + " runs " + in_ms(worst) + stale,
          worst <= goal && !stale_done};
}

}  // namespace

std::vector<Row> single_prober(std::uint64_t seed) {
  std::uint64_t most = 0;
  std::uint64_t windows = 0;
  std::uint64_t probes = 0;
  for (std::uint64_t run = 0; run < kRuns; ++run) {
    World world(seed + run);
    Callee& callee = begin(world, 5, 500);
    callee.failing = 1;
    world.run_until([&] { return is_open(world); }, 5s);
    world.run(200ms);
    const Instant since = world.now();
    world.run(60s);
    std::vector<Instant> begins = times_of(world, State::half_open);
    begins.push_back(world.now() + 100ms);
    for (std::size_t i = 0; i + 1 < begins.size(); ++i) {
      // A tenth of a second is what the callee's counters tell apart; windows are seconds long.
      most = std::max(most, callee.calls.between(begins[i] - 100ms, begins[i + 1] - 100ms));
    }
    windows += begins.size() - 1;
    probes += callee.calls.between(since, world.now());
  }
  return {{"9 single prober: 60 s down, 5 proxies x 500/s", "<= 3 calls reach the callee in each window",
           std::to_string(probes) + " calls in " + std::to_string(windows) + " windows, at most " +
               std::to_string(most) + " in one",
           most <= 3}};
}

std::vector<Row> hung_probers(std::uint64_t seed) {
  const Duration lease = breaker::probe_lease({.slow_call = 300ms}, false);
  const std::string words = "next probe <= lease (" + in_ms(lease) + ") + 500 ms";
  // One that hangs has failed, and the breaker is open anew: two seconds and a fifth.
  const Duration reopened = 300ms + 2400ms + 500ms;
  return {judge_takeover("10 the probe hangs", seed, Fate::hangs, reopened,
                         "judged by slow_call, next probe <= open_for (2 s, a fifth more) + 800 ms"),
          judge_takeover("10 the prober is killed", seed, Fate::killed, lease + 500ms, words),
          judge_takeover("10 the prober is stopped for 10 s", seed, Fate::paused, lease + 500ms,
                         words + ", stale verdict refused")};
}

namespace {

/// With the defaults, and as one sets it who wants all traffic back soon.
const breaker::Settings kUsual{.slow_call = 300ms};
const breaker::Settings kQuick{.slow_call = 300ms, .ramp = 5s};

Row measure_cold(const std::string& name, const std::string& goal, double load_max, std::uint64_t seed,
                 const breaker::Settings& settings) {
  constexpr double kLoad = 800;
  constexpr double kFull = 1000;
  std::size_t trips = 0;
  double peak = 0;
  Duration slowest{};
  for (std::uint64_t run = 0; run < kRuns; ++run) {
    World world(seed + run);
    world.settings = settings;
    Callee& callee = begin(world, 5, kLoad / 5);
    callee.failing = 1;
    world.run(30s);
    const Instant back = world.now();
    callee.failing = 0;
    callee.capacity = [back](Instant now) {
      return kFull * std::min(1.0, 0.2 + 0.05 * std::chrono::duration<double>(now - back).count());
    };
    const std::size_t before = times_of(world, State::open).size();
    bool has_ramped = false;
    const auto well = [&] {
      const auto state = world.state(kName);
      has_ramped = has_ramped || (state && state->standing.state == State::ramp);
      return has_ramped && world.all(kName, State::closed);
    };
    const auto took = world.run_until(well, 120s);
    slowest = std::max(slowest, took.value_or(120s));
    // Those out of a flow: probes that fail meanwhile are no trips of it.
    const std::vector<Instant> ramps = times_of(world, State::ramp);
    const std::vector<Instant> opens = times_of(world, State::open);
    const std::size_t again = static_cast<std::size_t>(
        std::ranges::count_if(opens, [&](Instant at) { return !ramps.empty() && at > ramps.front(); }));
    trips = std::max(trips, opens.size() > before ? again : 0);
    for (Instant at = back; at < world.now(); at += 1s) {
      const double load = static_cast<double>(callee.calls.between(at, at + 1s));
      peak = std::max(peak, load / callee.capacity(at));
    }
  }
  return {name, goal,
          "at most " + std::to_string(trips) + " trips again; peak load " + percent(peak) +
              " of capacity; closed after " + in_ms(slowest) + " at the latest",
          trips <= 1 && peak <= load_max};
}

}  // namespace

std::vector<Row> cold_recovery(std::uint64_t seed) {
  constexpr double kAny = std::numeric_limits<double>::infinity();
  return {measure_cold("11 cold recovery: 20 % capacity, +5 %/s", "<= 1 trip again; load <= 110 % of capacity", 1.1,
                       seed, kUsual),
          measure_cold("11 the same, ramp 5s", "<= 1 trip again", kAny, seed, kQuick)};
}

namespace {

Row measure_lag(const std::string& name, std::uint64_t seed, const breaker::Settings& settings) {
  double at_ten = 0;
  double at_twenty = 0;
  double worst_ten = 0;
  double worst_twenty = 0;
  double first_twenty = 0;
  for (std::uint64_t run = 0; run < kRuns; ++run) {
    World world(seed + run);
    world.settings = settings;
    Callee& callee = begin(world, 5, 100);
    callee.failing = 1;
    world.run(20s);
    callee.failing = 0;
    const Instant back = world.now();
    world.run(30s);
    const auto refused = [&](Duration from, Duration to) {
      return share(world.sum(&Flow::refused, kName, back + from, back + to),
                   world.sum(&Flow::sent, kName, back + from, back + to));
    };
    at_ten += refused(9s, 10s) / kRuns;
    at_twenty += refused(19s, 20s) / kRuns;
    worst_ten = std::max(worst_ten, refused(9s, 10s));
    worst_twenty = std::max(worst_twenty, refused(19s, 20s));
    first_twenty += refused(0s, 20s) / kRuns;
  }
  return {name, "refused in the 10th second < 10 %, in the 20th < 1 %",
          "mean " + percent(at_ten) + " (worst " + percent(worst_ten) + "), mean " + percent(at_twenty) + " (worst " +
              percent(worst_twenty) + "); " + percent(first_twenty) + " of the first 20 s",
          worst_ten < 0.1 && worst_twenty < 0.01};
}

}  // namespace

std::vector<Row> recovery_lag(std::uint64_t seed) {
  return {measure_lag("12 recovery after 20 s of errors", seed, kUsual),
          measure_lag("12 the same, ramp 5s", seed, kQuick)};
}

std::vector<Row> flapping(std::uint64_t seed) {
  World world(seed);
  Callee& callee = begin(world, 5, 100);
  const Instant since = world.now();
  for (int i = 0; i < 15; ++i) {
    callee.failing = 1;
    world.run(10s);
    callee.failing = 0;
    world.run(10s);
  }
  std::size_t flows = 0;  // from flowing to refused, or back
  State before = State::closed;
  for (const store::Record& each : world.history(guard::state_key(kName))) {
    const State now = guard::parse_state(each.value)->standing.state;
    const bool flowed = before == State::closed || before == State::ramp;
    if (now != State::half_open && flowed != (now == State::closed || now == State::ramp)) ++flows;
    if (now != State::half_open) before = now;
  }
  const std::uint64_t failed = world.sum(&Flow::failed, kName, since, world.now());
  return {{"14 flapping: 10 s bad, 10 s well, 5 min", "<= 6 changes between flowing and refused, then held",
           std::to_string(flows) + " changes; " + std::to_string(failed) + " bad calls passed of " +
               std::to_string(world.sum(&Flow::sent, kName, since, world.now()) / 2),
           flows <= 6}};
}

}  // namespace holdfast::sim

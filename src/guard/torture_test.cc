// Keepers in bad worlds: a store with faults, nodes that die and come back, callees that fail, ways that are cut,
// operators. Whatever happens, what they leave in the store is in order.
#include <gtest/gtest.h>
#include <map>
#include <set>

#include "guard/keys.h"
#include "guard/world_for_tests.h"

namespace holdfast::guard {
namespace {

using breaker::State;

constexpr const char* kNames[] = {"post", "profile"};
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kSeeds = 20;  // many times slower
#else
constexpr std::uint64_t kSeeds = 200;
#endif

// What is not as it must be, in words; each seed replays exactly.
struct Findings {
  std::vector<std::string> broken;
  unsigned transitions = 0;
  unsigned probers = 0;
  unsigned changes = 0;
};

io::Task<> speak(Ref<World> world, Ref<Node> node, std::string name, State state) {
  const Deadline deadline = world->now() + 3s;
  const Result<> answer = co_await node->keeper->force(name, state, "torturer", "why not", 5s, deadline);
  if (!answer) co_return;
}

// Something happens to somebody.
void disturb(World& world, Prng& prng) {
  Node& node = *world.nodes[prng.below(world.nodes.size())];
  const std::string name = kNames[prng.below(2)];
  Callee& callee = *world.callees.at(name);
  switch (prng.below(9)) {
    case 0: callee.failing = 1; break;
    case 1: callee.failing = 0; break;
    case 2: callee.hangs = !callee.hangs; break;
    case 3: node.flow(name).is_cut = !node.flow(name).is_cut; break;
    case 4: node.link->is_cut = !node.link->is_cut; break;
    case 5: node.link->commits_late = node.link->commits_late == 0s ? 5s : 0s; break;
    case 6: node.clock_off_us = static_cast<std::int64_t>(prng.below(60'000'000)) - 30'000'000; break;
    case 7:
      node.kill();
      node.start(true);
      break;
    case 8:
      world.tasks.add(speak(world, node, name, prng.below(2) == 0 ? State::open : State::closed));
      world.run(3s);  // its node must live until then
      break;
    default: break;
  }
}

void heal(World& world) {
  world.engine.heal();
  for (auto& [name, callee] : world.callees) {
    callee->failing = 0;
    callee->hangs = false;
  }
  for (const auto& node : world.nodes) {
    node->link->is_cut = false;
    node->link->commits_late = 0s;
    for (auto& [name, flow] : node->flows) flow->is_cut = false;
  }
}

// Epochs only grow, one state each, and each has its event.
void judge_states(const World& world, const std::string& name, Findings& findings) {
  std::uint64_t last = 0;
  for (const store::Record& each : world.history(state_key(name))) {
    const std::uint64_t epoch = parse_state(each.value)->standing.epoch;
    if (epoch != last + 1)
      findings.broken.push_back("epoch " + std::to_string(epoch) + " after " + std::to_string(last));
    last = epoch;
    ++findings.transitions;
    std::size_t events = 0;
    for (const auto& [key, record] : world.engine.keyspace().records()) {
      if (key.starts_with(journal::kEventPrefix) && record.created == each.modified) ++events;
    }
    if (events != 1) findings.broken.push_back(std::to_string(events) + " events of epoch " + std::to_string(epoch));
  }
}

void judge_probers(const World& world, const std::string& name, Findings& findings) {
  std::set<std::uint64_t> epochs;
  for (const store::Record& each : world.history(probe_key(name))) {
    ++findings.probers;
    if (!epochs.insert(parse_probe(each.value)->epoch).second) findings.broken.push_back("two probers: " + each.value);
    if (each.created != each.modified) findings.broken.push_back("a power that was handed on: " + each.value);
  }
}

Findings torture(std::uint64_t seed) {
  World world(seed, true);
  Prng prng(seed);
  for (const char* name : kNames) world.add_callee(name);
  world.add_nodes(3 + prng.below(3), {"z1", "z2"});
  for (const char* name : kNames) world.call_from_all(name, 30);
  world.run(5s);
  store::Faults faults = store::some_faults(prng);
  world.engine.suffer(faults);
  Findings findings;
  for (int i = 0; i < 25; ++i) {
    disturb(world, prng);
    world.run(100ms * static_cast<int>(prng.below(30)));
    for (const auto& node : world.nodes) {
      if (std::string broken = node->keeper->validate(); !broken.empty()) findings.broken.push_back(broken);
    }
  }
  heal(world);
  for (const char* name : kNames) {
    const auto is_well = [&] { return world.all(name, State::closed); };
    if (!world.run_until(is_well, 180s)) findings.broken.push_back(std::string(name) + " is stuck");
    judge_states(world, name, findings);
    judge_probers(world, name, findings);
  }
  for (const auto& node : world.nodes) findings.changes += static_cast<unsigned>(node->keeper->version());
  return findings;
}

TEST(Torture, whatever_happens_what_is_in_the_store_is_in_order_and_all_is_well_in_the_end) {
  Findings sum;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Findings findings = torture(seed);
    for (const std::string& each : findings.broken) ADD_FAILURE() << "seed " << seed << ": " << each;
    sum.transitions += findings.transitions;
    sum.probers += findings.probers;
    if (HasFailure()) break;
  }
  EXPECT_GT(sum.transitions, kSeeds * 4) << "it was too easy";
  EXPECT_GT(sum.probers, kSeeds);
}

TEST(Torture, a_seed_is_the_same_again) {
  const Findings one = torture(17);
  const Findings other = torture(17);
  EXPECT_EQ(one.transitions, other.transitions);
  EXPECT_EQ(one.changes, other.changes);
}

}  // namespace
}  // namespace holdfast::guard

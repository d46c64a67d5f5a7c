// World: a small cluster of proxies in simulated time: one store, some callees, and nodes that each keep breakers with
// the real Keeper, and send calls through the real gates and meters. Calls arrive at random times, whether the ones
// before were answered or not.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "guard/callee_for_tests.h"
#include "guard/keeper.h"
#include "guard/link_for_tests.h"
#include "store/simulated.h"

namespace holdfast::guard {

class World;

/// The calls of one node to one callee.
struct Flow : Pinned {
  struct UnderWay : Pinned {
    explicit UnderWay(std::shared_ptr<breaker::Circuit> circuit_) : circuit(std::move(circuit_)) {}
    const std::shared_ptr<breaker::Circuit> circuit;  // first: the call ends in its meter
    breaker::Call call;
    bool is_probe = false;
  };

  Flow(Instant start, double rate_)
      : rate(rate_), sent(start), refused(start), well(start), failed(start), probes(start) {}

  double rate;          ///< calls a second
  bool is_cut = false;  ///< no way to the callee
  Duration timeout = 2s;
  std::uint64_t turn = 0;  ///< an older plan of arrivals ends when it is another
  Course sent, refused, well, failed, probes;
  std::list<UnderWay> under_way;
};

class Node : Pinned {
 public:
  Node(World& world, std::string name, std::string zone);
  ~Node();

  /// With a store, or without.
  void start(bool shared);
  /// Ends as a process does that was asked to.
  void stop();
  /// Ends as a process does that was killed: its lease is not given back.
  void kill();
  bool is_running() const { return keeper != nullptr; }

  /// From now on it calls so often.
  void call(const std::string& callee, double rate);
  Flow& flow(const std::string& callee) { return *flows.at(callee); }
  View view(const std::string& breaker_name) const { return *keeper->view(breaker_name); }
  breaker::State state(const std::string& breaker_name) const { return view(breaker_name).state; }

  World& world;
  const std::string name;
  const std::string zone;
  std::int64_t clock_off_us = 0;  ///< its wall clock goes wrong by so much
  std::filesystem::path snapshot{};
  std::shared_ptr<Link> link;
  std::unique_ptr<Keeper> keeper;
  std::map<std::string, std::unique_ptr<Flow>> flows;
  std::vector<std::string> said;

 private:
  void arrive(const std::string& callee, std::uint64_t turn);
  void make_call(const std::string& callee, Flow& flow);
  void look_for_slow(unsigned life);

  Prng prng_;
  unsigned life_ = 0;  ///< what was planned in an earlier one is void
  std::vector<Wanted> wanted_;
};

class World : Pinned {
 public:
  explicit World(std::uint64_t seed, bool faults = false);
  ~World();

  /// Nodes a, b, c, …; in turn of these zones.
  void add_nodes(std::size_t count, const std::vector<std::string>& zones = {"z"}, bool shared = true);
  Callee& add_callee(const std::string& name);
  /// All nodes call it, each so often.
  void call_from_all(const std::string& callee, double rate);

  void run(Duration time);
  /// Until it holds, at most so long; how long that took, none if it never did.
  std::optional<Duration> run_until(const std::function<bool()>& holds, Duration most);
  void run(io::Task<> task);

  Instant now() const { return loop.now(); }
  std::int64_t wall_us() const;
  std::size_t count(const std::string& name, breaker::State state) const;
  bool all(const std::string& name, breaker::State state) const { return count(name, state) == nodes.size(); }
  /// What stands under breaker/state/NAME.
  std::optional<StateRecord> state(const std::string& name) const;
  /// All versions of the records that ever stood under a key, oldest first.
  std::vector<store::Record> history(const std::string& key) const;
  /// Events about it: "opened", "probing", …
  std::vector<std::string> events(const std::string& name) const;
  std::uint64_t sum(Course Flow::* course, const std::string& callee, Instant from, Instant to) const;

  io::Loop loop;
  const Instant start;
  store::SimulatedEngine engine;
  store::Agenda agenda;
  const std::uint64_t seed;
  const bool has_faults;
  breaker::Settings settings{.slow_call = 300ms};
  std::map<std::string, std::unique_ptr<Callee>> callees;
  std::vector<std::unique_ptr<Node>> nodes;
  io::Scope tasks;
};

}  // namespace holdfast::guard

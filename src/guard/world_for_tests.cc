#include "guard/world_for_tests.h"

#include <algorithm>
#include <cmath>

#include "guard/keys.h"

namespace holdfast::guard {
namespace {

constexpr std::int64_t kWallStart_us = 1'795'464'000'000'000;

io::Task<> bury(std::unique_ptr<Keeper> keeper) {
  keeper->stop();
  co_await keeper->idle(kNever);
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------- a node

Node::Node(World& world_, std::string name_, std::string zone_)
    : world(world_),
      name(std::move(name_)),
      zone(std::move(zone_)),
      link(std::make_shared<Link>()),
      prng_(world_.seed * 1000 + world_.nodes.size()) {}

Node::~Node() = default;

void Node::start(bool shared) {
  const auto say = [this](const std::string& line) { said.push_back(line); };
  Surroundings surroundings;
  surroundings.wall_us = [this] { return world.wall_us() + clock_off_us; };
  surroundings.seed = prng_.next() | 1U;
  keeper = std::make_unique<Keeper>(world.loop, 1, say, surroundings);
  keeper->follow(wanted_);
  for (auto& [callee, flow] : flows) arrive(callee, ++flow->turn);
  look_for_slow(life_);
  if (!shared) return;
  const auto open = [this]() -> Result<std::unique_ptr<store::Store>> {
    std::unique_ptr<store::Store> store = world.has_faults ? world.engine.connect() : world.engine.connect_well();
    return std::make_unique<LinkStore>(world.loop, std::move(store), link);
  };
  keeper->share({open, name, zone, snapshot});
}

void Node::stop() {
  ++life_;
  for (auto& [callee, flow] : flows) flow->under_way.clear();
  world.tasks.add(bury(std::move(keeper)));
}

void Node::kill() {
  link->is_cut = true;
  stop();
  link = std::make_shared<Link>();
}

void Node::call(const std::string& callee, double rate) {
  std::unique_ptr<Flow>& flow = flows[callee];
  if (flow == nullptr) {
    flow = std::make_unique<Flow>(world.start, rate);
    wanted_.push_back({callee, world.settings});
    if (keeper != nullptr) keeper->follow(wanted_);
  }
  flow->rate = rate;
  if (is_running()) arrive(callee, ++flow->turn);
}

void Node::look_for_slow(unsigned life) {
  if (life != life_) return;
  for (auto& [callee, flow] : flows) keeper->circuit(callee)->meter(0).look_for_slow(world.now());
  world.agenda.plan_in(20ms, [this, life] { look_for_slow(life); });
}

void Node::arrive(const std::string& callee, std::uint64_t turn) {
  Flow& flow = *flows.at(callee);
  if (flow.turn != turn || flow.rate <= 0) return;
  const double pause = -std::log(1 - prng_.uniform()) / flow.rate;
  world.agenda.plan_in(Duration(static_cast<Duration::rep>(pause * 1e9) + 1), [this, callee, turn] {
    Flow& now = *flows.at(callee);
    if (now.turn != turn || !is_running()) return;
    make_call(callee, now);
    arrive(callee, turn);
  });
}

void Node::make_call(const std::string& callee, Flow& flow) {
  const Instant now = world.now();
  const std::shared_ptr<breaker::Circuit> circuit = keeper->circuit(callee);
  const breaker::Admission admission = circuit->gate().admit(true, prng_);
  flow.sent.add(now);
  if (!admission.passed) {
    flow.refused.add(now);
    circuit->meter(0).count_refusal();
    return;
  }
  if (admission.probe) flow.probes.add(now);
  flow.under_way.emplace_front(circuit);
  const auto under_way = flow.under_way.begin();
  circuit->meter(0).begin(under_way->call, admission, now);
  Callee::Answer answer{2ms, false};
  breaker::Outcome outcome = breaker::Outcome::unreachable;
  if (!flow.is_cut) {
    answer = world.callees.at(callee)->call(now, prng_);
    outcome = answer.well ? breaker::Outcome::success : breaker::Outcome::failure;
  }
  if (answer.after > flow.timeout) {
    answer = {flow.timeout, false};
    outcome = breaker::Outcome::unreachable;
  }
  world.agenda.plan_in(answer.after, [this, &flow, life = life_, under_way, outcome] {
    if (life != life_) return;  // it ended with its node
    const bool well = outcome == breaker::Outcome::success;
    (well ? flow.well : flow.failed).add(world.now());
    under_way->circuit->meter(0).end(under_way->call, outcome, world.now());
    flow.under_way.erase(under_way);
  });
}

// ---------------------------------------------------------------------------------------------------------- the world

World::World(std::uint64_t seed_, bool faults)
    : loop(io::SimulatedTime{}),
      start(loop.now()),
      engine(loop, seed_),
      agenda(loop),
      seed(seed_),
      has_faults(faults),
      tasks(loop) {}

World::~World() {
  for (const std::unique_ptr<Node>& node : nodes) {
    if (node->is_running()) node->kill();
  }
  while (tasks.size() != 0 && loop.run_once()) {
  }
}

void World::add_nodes(std::size_t count, const std::vector<std::string>& zones, bool shared) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t number = nodes.size();
    std::string name = number < 26 ? std::string(1, static_cast<char>('a' + number)) : "n" + std::to_string(number);
    nodes.push_back(std::make_unique<Node>(*this, std::move(name), zones[number % zones.size()]));
    nodes.back()->start(shared);
  }
}

Callee& World::add_callee(const std::string& name) {
  std::unique_ptr<Callee>& callee = callees[name];
  callee = std::make_unique<Callee>(start);
  return *callee;
}

void World::call_from_all(const std::string& callee, double rate) {
  for (const std::unique_ptr<Node>& node : nodes) node->call(callee, rate);
}

void World::run(Duration time) {
  bool is_over = false;
  agenda.plan_in(time, [&is_over] { is_over = true; });
  while (!is_over && loop.run_once()) {
  }
}

std::optional<Duration> World::run_until(const std::function<bool()>& holds, Duration most) {
  const Instant began = now();
  while (!holds()) {
    if (now() - began > most) return std::nullopt;
    run(5ms);
  }
  return now() - began;
}

void World::run(io::Task<> task) {
  io::Scope scope(loop);
  scope.add(std::move(task));
  while (scope.size() != 0 && loop.run_once()) {
  }
}

std::int64_t World::wall_us() const {
  return kWallStart_us + std::chrono::duration_cast<std::chrono::microseconds>(loop.now() - start).count();
}

std::size_t World::count(const std::string& name, breaker::State state) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      nodes, [&](const std::unique_ptr<Node>& node) { return node->is_running() && node->state(name) == state; }));
}

std::optional<StateRecord> World::state(const std::string& name) const {
  const auto found = engine.keyspace().records().find(state_key(name));
  if (found == engine.keyspace().records().end()) return std::nullopt;
  Result<StateRecord> record = parse_state(found->second.value);
  if (!record) return std::nullopt;
  return std::move(*record);
}

std::vector<store::Record> World::history(const std::string& key) const {
  std::vector<store::Record> all;
  const Result<std::vector<store::Batch>> batches = engine.keyspace().since(key, 1);
  if (!batches) return all;
  for (const store::Batch& batch : *batches) {
    for (const store::Event& event : batch.events) {
      if (event.record.key == key && event.kind == store::Event::Kind::put) all.push_back(event.record);
    }
  }
  return all;
}

std::vector<std::string> World::events(const std::string& name) const {
  std::map<std::uint64_t, std::string> found;
  for (const auto& [key, record] : engine.keyspace().records()) {
    if (!key.starts_with(journal::kEventPrefix)) continue;
    const Result<journal::Event> event = journal::parse_event(record);
    if (event && event->subject == "breaker " + name) found[event->sequence] = event->what;
  }
  std::vector<std::string> all;
  for (auto& [sequence, what] : found) all.push_back(what);
  return all;
}

std::uint64_t World::sum(Course Flow::* course, const std::string& callee, Instant from, Instant to) const {
  std::uint64_t sum = 0;
  for (const std::unique_ptr<Node>& node : nodes) {
    const auto flow = node->flows.find(callee);
    if (flow != node->flows.end()) sum += (flow->second.get()->*course).between(from, to);
  }
  return sum;
}

}  // namespace holdfast::guard

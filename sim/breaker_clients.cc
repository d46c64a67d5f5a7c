// Experiment 24: does the rate at which a breaker trips depend on how many clients share the load? Every client here is
// a real edge; what they tell each other arrives at once, for a thousand mirrors of a store would only cost time.
#include <algorithm>
#include <memory>
#include <optional>

#include "breaker/circuit.h"
#include "breaker/edge.h"
#include "breaker_experiments.h"

namespace holdfast::sim {
namespace {

using breaker::Edge;
using breaker::Plan;

constexpr double kLoad = 10'000;  ///< calls a second, of all together
constexpr Duration kStep = 100ms;
constexpr double kFirst = 0.2;         ///< true rate of failures, at first
constexpr double kGrowth = 0.2 / 100;  ///< a second

struct Client {
  explicit Client(const breaker::Settings& settings, Instant now, std::uint64_t seed)
      : circuit("profile", 1), edge("profile", settings, now, seed) {
    edge.set_in_touch(true, now);
  }

  breaker::Circuit circuit;
  Edge edge;
  breaker::Tally counted{};
  std::optional<double> opened_at{};  ///< the true rate then
  double owed = 0;                    ///< calls that are due
};

struct Points {
  std::optional<double> shared{};
  double refused = 0;  ///< share of the calls just before, by clients that opened for themselves
  double first = 1;
  double median = 1;
};

// Calls of one step, each failing by chance, through the gate and the meter.
void call(Client& client, double rate, double failing, Instant now, Prng& prng) {
  client.owed += rate * std::chrono::duration<double>(kStep).count() * (0.5 + prng.uniform());
  breaker::Meter& meter = client.circuit.meter(0);
  for (; client.owed >= 1; client.owed -= 1) {
    const breaker::Admission admission = client.circuit.gate().admit(true, prng);
    if (!admission.passed) {
      meter.count_refusal();
      continue;
    }
    breaker::Call one;
    meter.begin(one, admission, now);
    meter.end(one, prng.uniform() < failing ? breaker::Outcome::failure : breaker::Outcome::success, now);
  }
}

// What the keeper does at each tick.
Plan look(Client& client, const breaker::Self& self, Instant now) {
  breaker::Gate& gate = client.circuit.gate();
  const breaker::Tally total = client.circuit.tally();
  breaker::Tally calls = total;
  calls -= client.counted;
  client.counted = total;
  client.edge.observe(calls, {gate.probes_taken(), gate.probes_well(), gate.probes_failed()}, now);
  Plan plan = client.edge.decide(self, now);
  if (plan.new_generation) {
    gate.begin_generation(plan.allowed_permille);
    client.counted = client.circuit.tally();
  } else {
    gate.set_allowed(plan.allowed_permille);
  }
  if (plan.offer_probes != 0) gate.offer_probes(plan.offer_probes);
  return plan;
}

Points find_points(std::size_t count, bool is_shared, std::uint64_t seed) {
  Prng prng(seed);
  const Instant start(1h);
  breaker::Settings settings;
  settings.shared = is_shared;
  std::vector<std::unique_ptr<Client>> clients;
  for (std::size_t i = 0; i < count; ++i) clients.push_back(std::make_unique<Client>(settings, start, prng.next()));
  Points points;
  const breaker::Self self{.voters = static_cast<unsigned>(count)};
  const double rate = kLoad / static_cast<double>(count);
  const auto steps = static_cast<int>((0.7 - kFirst) / kGrowth / std::chrono::duration<double>(kStep).count());
  for (int step = 0; step < steps; ++step) {
    const Instant now = start + step * kStep;
    const double failing = kFirst + kGrowth * std::chrono::duration<double>(now - start).count();
    std::vector<breaker::Vote> votes;
    double allowed = 0;
    for (std::size_t i = 0; i < count; ++i) {
      Client& client = *clients[i];
      call(client, rate, failing, now, prng);
      const Plan plan = look(client, self, now);
      allowed += plan.allowed_permille / 1000.0;
      if (plan.state == breaker::State::open && !client.opened_at) client.opened_at = failing;
      votes.push_back(plan.vote);
      votes.back().node = std::to_string(i);
      votes.back().zone = i % 2 == 0 ? "z1" : "z2";
    }
    if (!is_shared) continue;
    const breaker::Quorum quorum = breaker::count_votes(votes, self.voters, {});
    if (quorum.bad) points.shared = failing;
    if (quorum.bad) break;
    points.refused = 1 - allowed / static_cast<double>(count);
  }
  std::vector<double> opened;
  for (const auto& client : clients) opened.push_back(client->opened_at.value_or(1));
  std::ranges::sort(opened);
  points.first = opened.front();
  points.median = opened[opened.size() / 2];
  return points;
}

}  // namespace

std::vector<Row> client_count(std::uint64_t seed) {
  std::vector<Row> rows;
  for (const std::size_t count : {10UL, 100UL, 1000UL}) {
    const Points shared = find_points(count, true, seed);
    const Points local = find_points(count, false, seed);
    const double point = shared.shared.value_or(1);
    rows.push_back({"24 " + std::to_string(count) + " clients, 10000 calls/s in all",
                    "trips for all at 45 to 55 % failures (50 % configured)",
                    "at " + percent(point) + ", when " + percent(shared.refused) +
                        " of the calls were refused by single ones; alone the first would open at " +
                        percent(local.first) + ", half of them at " + percent(local.median),
                    point >= 0.45 && point <= 0.55});
  }
  return rows;
}

}  // namespace holdfast::sim

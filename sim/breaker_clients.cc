// Experiment 24: does the rate at which a breaker trips depend on how many clients share the load? Every client here is
// a real edge; what they tell each other arrives at once, for a thousand mirrors of a store would only cost time.
#include <algorithm>
#include <memory>
#include <optional>

#include "breaker/edge.h"
#include "breaker_experiments.h"

namespace holdfast::sim {
namespace {

using breaker::Edge;
using breaker::Plan;
using breaker::Proposal;

constexpr double kLoad = 10'000;  ///< calls a second, of all together
constexpr Duration kStep = 100ms;
constexpr double kFirst = 0.2;         ///< true rate of failures, at first
constexpr double kGrowth = 0.2 / 100;  ///< a second

struct Client {
  std::unique_ptr<Edge> edge;
  std::optional<double> opened_at{};  ///< the true rate then
  double owed = 0;                    ///< calls that are due
};

struct Points {
  std::optional<double> shared{};
  double first = 1;
  double median = 1;
};

// Calls of one step, each failing by chance.
breaker::Tally draw(Client& client, double rate, double failing, Prng& prng) {
  client.owed += rate * std::chrono::duration<double>(kStep).count() * (0.5 + prng.uniform());
  breaker::Tally calls;
  for (; client.owed >= 1; client.owed -= 1) {
    ++calls.calls;
    if (prng.uniform() < failing) ++calls.failures;
  }
  return calls;
}

Points find_points(std::size_t count, bool is_shared, std::uint64_t seed) {
  Prng prng(seed);
  const Instant start(1h);
  breaker::Settings settings;
  settings.shared = is_shared;
  std::vector<Client> clients(count);
  for (std::size_t i = 0; i < count; ++i) {
    clients[i].edge = std::make_unique<Edge>("profile", settings, start, prng.next());
    clients[i].edge->set_in_touch(true, start);
  }
  Points points;
  const breaker::Self self{.voters = static_cast<unsigned>(count)};
  const double rate = kLoad / static_cast<double>(count);
  const auto steps = static_cast<int>((0.7 - kFirst) / kGrowth / std::chrono::duration<double>(kStep).count());
  for (int step = 0; step < steps; ++step) {
    const Instant now = start + step * kStep;
    const double failing = kFirst + kGrowth * std::chrono::duration<double>(now - start).count();
    std::vector<breaker::Vote> votes;
    for (std::size_t i = 0; i < count; ++i) {
      Client& client = clients[i];
      if (!client.opened_at) client.edge->observe(draw(client, rate, failing, prng), {}, now);
      const Plan plan = client.edge->decide(self, now);
      if (plan.state == breaker::State::open && !client.opened_at) client.opened_at = failing;
      votes.push_back(plan.vote);
      votes.back().node = std::to_string(i);
      votes.back().zone = i % 2 == 0 ? "z1" : "z2";
    }
    if (!is_shared || points.shared) continue;
    const breaker::Quorum quorum = breaker::count_votes(votes, self.voters, {});
    if (quorum.bad) points.shared = failing;
    if (quorum.bad) break;
  }
  std::vector<double> opened;
  for (const Client& client : clients) opened.push_back(client.opened_at.value_or(1));
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
                    "at " + percent(point) + "; alone the first would open at " + percent(local.first) +
                        ", half of them at " + percent(local.median),
                    point >= 0.45 && point <= 0.55});
  }
  return rows;
}

}  // namespace holdfast::sim

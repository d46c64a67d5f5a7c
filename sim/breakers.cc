// breakers: what breakers that all share are worth, by experiments in simulated time. A row each: the goal, what was
// measured, whether it was reached.
//
//   breakers                       all of them
//   breakers --only poison         one
//   breakers --seed 7 -o json      with other chances; for programs
#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "breaker_experiments.h"

namespace holdfast::sim {

std::span<const Experiment> experiments() {
  static constexpr std::array kAll{Experiment{"slow", slow_without_errors},
                                   Experiment{"rare", little_traffic_and_rare_time_outs},
                                   Experiment{"poison", poison},
                                   Experiment{"prober", single_prober},
                                   Experiment{"hung", hung_probers},
                                   Experiment{"cold", cold_recovery},
                                   Experiment{"lag", recovery_lag},
                                   Experiment{"flapping", flapping},
                                   Experiment{"store", store_loss},
                                   Experiment{"clients", client_count}};
  return kAll;
}

std::string in_ms(Duration duration) { return std::to_string(duration / 1ms) + " ms"; }

std::string percent(double share) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %%", share * 100);
  return text.data();
}

namespace {

void print(const Row& row) {
  std::printf("%-4s %-50s %-64s %s\n", row.is_reached ? "yes" : "NO", row.name.c_str(), row.goal.c_str(),
              row.measured.c_str());
  std::fflush(stdout);
}

int run(const std::string& only, std::uint64_t seed, bool as_json) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  bool is_known = false;
  bool all_reached = true;
  for (const Experiment& each : experiments()) {
    if (!only.empty() && only != each.name) continue;
    is_known = true;
    for (const Row& row : each.run(seed)) {
      all_reached = all_reached && row.is_reached;
      if (!as_json) print(row);
      all.push_back({{"name", row.name}, {"goal", row.goal}, {"measured", row.measured}, {"reached", row.is_reached}});
    }
  }
  if (as_json) std::printf("%s\n", all.dump(2).c_str());
  if (!is_known) std::fprintf(stderr, "there is no experiment %s\n", only.c_str());
  if (!is_known) return 2;
  return all_reached ? 0 : 1;
}

}  // namespace
}  // namespace holdfast::sim

int main(int argc, char** argv) {
  CLI::App app{"Experiments with breakers that all share, in simulated time"};
  std::string only;
  std::uint64_t seed = 1;
  std::string output = "table";
  app.add_option("--only", only, "slow, rare, poison, prober, hung, cold, lag, flapping, store or clients");
  app.add_option("--seed", seed, "of all chances");
  app.add_option("-o", output, "table or json")->check(CLI::IsMember({"table", "json"}));
  CLI11_PARSE(app, argc, argv);
  return holdfast::sim::run(only, seed, output == "json");
}

// store_torture: stores under faults for as long as one lets it. What every client saw is written down and judged
// (src/store/history_check.h).
//
//   store_torture simulated --seeds 10000 [--first N]   worlds in simulated time; a seed that fails replays exactly
//   store_torture simulated --broken 40                 breaks the store on purpose; each breakage must be found out
//   store_torture sqlite --seconds 60                   several processes at one file, killed in the midst of it
//   store_torture etcd --seconds 60                     three members, killed, frozen and cut off
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <string>

#include "engine_torture.h"
#include "store/simulated_run.h"

namespace holdfast::sim {
namespace {

using store::Breakage;
using store::Happened;
using store::SimulatedRun;

constexpr std::uint64_t kRepeatEvery = 20;  ///< of the seeds, one in so many is run twice
constexpr std::uint64_t kTellEvery = 1000;
constexpr std::size_t kFailuresShown = 10;

// What a campaign must have seen at least once, or it proves little.
struct Sometimes {
  const char* what;
  unsigned Happened::* count;
};
constexpr std::array kSometimes{
    Sometimes{"a transaction was committed", &Happened::commits},
    Sometimes{"what was answered with unknown had been done", &Happened::done_unknown},
    Sometimes{"what was given up was done afterwards", &Happened::done_after_answer},
    Sometimes{"what was answered with unknown had not been done", &Happened::unknown_so_far},
    Sometimes{"a leader was lost", &Happened::leader_changes},
    Sometimes{"a request found no leader for 7 s", &Happened::timed_out_leaderless},
    Sometimes{"a deposed leader kept a lease alive", &Happened::deposed_answers},
    Sometimes{"a lease ended", &Happened::lease_ends},
    Sometimes{"all leases were revoked by mistake", &Happened::false_revokes},
    Sometimes{"the store was full", &Happened::overloaded},
    Sometimes{"a watch ended as stale", &Happened::watches_stale},
    Sometimes{"a watch noticed a gap", &Happened::gaps_masked},
    Sometimes{"a watch hid what came twice", &Happened::repeats_masked},
    Sometimes{"the store was restored", &Happened::restores},
};

void add(Happened& sum, const Happened& more) {
  for (const Sometimes& each : kSometimes) sum.*each.count += more.*each.count;
}

void tell_failure(const std::string& commit, std::uint64_t seed, const SimulatedRun& run) {
  std::printf("seed=%llu commit=%s\n", static_cast<unsigned long long>(seed), commit.c_str());
  for (const std::string& each : run.findings) std::printf("  %s\n", each.c_str());
}

bool is_repeatable(std::uint64_t seed, const SimulatedRun& run) { return store::run_seed(seed).digest == run.digest; }

int run_seeds(std::uint64_t first, std::uint64_t seeds, const std::string& commit) {
  Happened sum;
  std::size_t failures = 0;
  const auto began = std::chrono::steady_clock::now();
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    SimulatedRun run = store::run_seed(seed);
    add(sum, run.happened);
    const bool repeat = seed % kRepeatEvery == 0;
    if (repeat && !is_repeatable(seed, run)) run.findings.emplace_back("another run of this seed is another");
    if (!run.findings.empty() && ++failures <= kFailuresShown) tell_failure(commit, seed, run);
    if ((seed - first + 1) % kTellEvery == 0) {
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
      std::printf("%llu seeds, %zu failures, %.0f s\n", static_cast<unsigned long long>(seed - first + 1), failures,
                  took.count());
      std::fflush(stdout);
    }
  }
  bool all_seen = true;
  for (const Sometimes& each : kSometimes) {
    std::printf("%10u times %s\n", sum.*each.count, each.what);
    if (sum.*each.count == 0) all_seen = false;
  }
  if (!all_seen) std::printf("some of it never happened: more seeds, or a fault that is dead\n");
  return failures == 0 && all_seen ? 0 : 1;
}

int run_broken(std::uint64_t first, std::uint64_t seeds) {
  std::size_t missed = 0;
  for (std::size_t breakage = 1; breakage < store::kBreakages; ++breakage) {
    std::uint64_t caught = 0;
    std::string example;
    for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
      const SimulatedRun run = store::run_seed(seed, static_cast<Breakage>(breakage));
      if (run.findings.empty()) continue;
      ++caught;
      example = run.findings.front();
    }
    if (caught == 0) ++missed;
    const std::string name(store::to_string(static_cast<Breakage>(breakage)));
    std::printf("%-20s found out by %llu of %llu seeds: %.120s\n", name.c_str(),
                static_cast<unsigned long long>(caught), static_cast<unsigned long long>(seeds), example.c_str());
  }
  return missed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace holdfast::sim

int main(int argc, char** argv) {
  CLI::App app("Stores under faults: what all clients saw is judged by what store.h promises.");
  app.require_subcommand(1);
  std::uint64_t seeds = 1000;
  std::uint64_t first = 1;
  std::uint64_t broken = 0;
  std::string commit = "unknown";
  CLI::App* const simulated = app.add_subcommand("simulated", "The simulated store, in simulated time");
  simulated->add_option("--seeds", seeds, "How many worlds")->capture_default_str();
  simulated->add_option("--first", first, "The first seed")->capture_default_str();
  simulated->add_option("--broken", broken, "Instead: each way to break the store, with so many seeds");
  simulated->add_option("--commit", commit, "What was built, for the lines about failures");
  int seconds = 60;
  CLI::App* const sqlite = app.add_subcommand("sqlite", "SQLite, with processes that are killed");
  CLI::App* const etcd = app.add_subcommand(
      "etcd", "Three members of etcd, which are killed, frozen and, with root, cut off from each other");
  for (CLI::App* const each : {sqlite, etcd}) {
    each->add_option("--seconds", seconds, "At least so long")->capture_default_str();
    each->add_option("--first", first, "The first seed")->capture_default_str();
  }
  std::string file;
  std::string log;
  std::uint64_t number = 0;
  CLI::App* const writer = app.add_subcommand("writer", "One of the processes that `sqlite` starts and kills");
  writer->add_option("file", file)->required();
  writer->add_option("log", log)->required();
  writer->add_option("number", number)->required();
  CLI11_PARSE(app, argc, argv);
  if (writer->parsed()) return holdfast::sim::write_until_killed(file, log, number);
  if (sqlite->parsed()) return holdfast::sim::torture_sqlite(std::chrono::seconds(seconds), first);
  if (etcd->parsed()) return holdfast::sim::torture_etcd(std::chrono::seconds(seconds), first);
  if (broken > 0) return holdfast::sim::run_broken(first, broken);
  return holdfast::sim::run_seeds(first, seeds, commit);
}

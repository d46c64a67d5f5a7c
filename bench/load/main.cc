// load: the origin and the clients of a measurement, in one process and one thread if asked, so that the core beside
// the proxy's does nothing else. Prints one line of JSON (for `hold` also one when it is ready). bench/run is its user.
//
//   load origin --port P                                   serves /128, /16k, /1m until killed
//   load run --to P [--origin P] --path /128 ...           asks, measures, prints
//   load hold --to P [--origin P] --connections N          keeps idle connections until standard input ends
#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "load/bodies.h"
#include "load/hold.h"
#include "load/origin.h"
#include "load/run.h"

namespace holdfast::bench {
namespace {

using nlohmann::json;

double us(Duration duration) { return static_cast<double>(duration.count()) / 1e3; }
double seconds(Duration duration) { return static_cast<double>(duration.count()) / 1e9; }

json to_json(const RunResult& result) {
  json failures = json::object();
  for (std::size_t i = 0; i < result.failures.size(); ++i) failures[kFailureNames[i].data()] = result.failures[i];
  const auto requests = static_cast<double>(std::max<std::uint64_t>(result.requests, 1));
  const Duration ticks = result.watched.user + result.watched.system;
  return {{"requests", result.requests},
          {"unanswered", result.unanswered},
          {"failures", failures},
          {"seconds", seconds(result.window)},
          {"rate", static_cast<double>(result.requests) / seconds(result.window)},
          {"cpu_us", us(result.watched.run) / requests},
          {"cpu_user_share", ticks.count() == 0 ? 0.0 : us(result.watched.user) / us(ticks)},
          {"cores_used", seconds(result.watched.run) / seconds(result.window)},
          {"waited_share", seconds(result.watched.waited) / seconds(result.window)},
          {"generator_cpu_us", us(result.own) / requests},
          {"p50_us", us(result.latencies.quantile(0.5))},
          {"p90_us", us(result.latencies.quantile(0.9))},
          {"p99_us", us(result.latencies.quantile(0.99))},
          {"p999_us", us(result.latencies.quantile(0.999))},
          {"max_us", us(result.latencies.longest())}};
}

void print(const json& line) { std::cout << line.dump() << std::endl; }

// As many files as we may have, and timers that do not come 50 us late.
void prepare_process() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
}

int main_of(int argc, char** argv) {
  CLI::App app("The origin and the clients of a measurement; see bench/run.", "load");
  app.require_subcommand(1);
  RunOptions options;
  std::uint16_t origin_port = 0;
  double warm_up = 0.5;
  double window = 3;
  auto* serve = app.add_subcommand("origin", "serve /128, /16k and /1m until killed");
  serve->add_option("--port", origin_port, "where")->required();
  auto* run = app.add_subcommand("run", "ask, measure, print one line of JSON");
  auto* hold = app.add_subcommand("hold", "keep idle connections until standard input ends");
  for (CLI::App* asks : {run, hold}) {
    asks->add_option("--to", options.port, "port of the proxy")->required();
    asks->add_option("--origin", origin_port, "also be the origin, on this port");
    asks->add_option("--path", options.path, "/128, /16k or /1m");
    asks->add_option("--connections", options.connections, "how many clients");
  }
  run->add_flag("--new-connections", options.new_connections, "each request on a connection of its own");
  run->add_option("--rate", options.rate, "open loop: requests per second, at constant intervals");
  run->add_option("--warm-up", warm_up, "seconds before the window");
  run->add_option("--seconds", window, "how long the window is");
  run->add_option("--watch", options.watched_processes, "processes whose processor time is measured");
  CLI11_PARSE(app, argc, argv);

  prepare_process();
  Poller poller;
  std::optional<Origin> origin;
  if (origin_port != 0) origin.emplace(poller, origin_port);
  if (origin && !origin->listening()) {
    std::cerr << "load: port " << origin_port << " is taken\n";
    return 1;
  }
  if (*serve) {
    while (true) poller.turn(read_clock() + 1s);
  }
  if (!body_bytes(options.path)) {
    std::cerr << "load: no page " << options.path << "\n";
    return 2;
  }
  if (*hold) {
    Hold held(poller, options.port, options.path, options.connections);
    const bool filled = held.fill();
    print({{"filled", filled}});
    if (!filled) return 1;
    print({{"lost", held.keep()}});
    return 0;
  }
  options.warm_up = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(warm_up));
  options.window = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(window));
  print(to_json(Run(poller, options).go()));
  return 0;
}

}  // namespace
}  // namespace holdfast::bench

int main(int argc, char** argv) { return holdfast::bench::main_of(argc, argv); }

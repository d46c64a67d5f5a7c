// Host and path to a destination, among a few routes and among a thousand virtual hosts.
#include <benchmark/benchmark.h>
#include <string>

#include "proxy/router.h"

namespace holdfast::bench {
namespace {

using Kind = config::HostPattern::Kind;

config::Route route_to(config::HostPattern host, std::string path) {
  config::Route route;
  route.host = std::move(host);
  route.path = std::move(path);
  route.answer = std::string("site");
  return route;
}

void look_up(benchmark::State& state) {
  config::Model model;
  model.services.emplace_back().name = "site";
  config::Listener listener;
  for (int i = 0; i < state.range(0); ++i) {
    listener.routes.push_back(route_to({Kind::exact, "host-" + std::to_string(i) + ".example.com"}, "/"));
  }
  listener.routes.push_back(route_to({Kind::suffix, ".example.org"}, "/"));
  listener.routes.push_back(route_to({}, "/api/"));
  listener.routes.push_back(route_to({}, "/"));
  const proxy::Router router(listener, model);
  const std::string last = "host-" + std::to_string(state.range(0) - 1) + ".example.com";
  for (auto _ : state) benchmark::DoNotOptimize(router.route(last, "/articles/2025/03/title.html"));
}
BENCHMARK(look_up)->Name("Route")->Arg(0)->Arg(10)->Arg(1000);

}  // namespace
}  // namespace holdfast::bench

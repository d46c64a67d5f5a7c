#include "proxy/guards.h"

#include <algorithm>

namespace holdfast::proxy {
namespace {

unsigned percent_of(config::Share share) { return share.basis_points / 100; }

breaker::Settings settings_of(const config::Breaker& config) {
  breaker::Settings settings;
  switch (config.mode) {
    case config::BreakerMode::enforce: settings.mode = breaker::Mode::enforce; break;
    case config::BreakerMode::observe: settings.mode = breaker::Mode::observe; break;
    case config::BreakerMode::off: settings.mode = breaker::Mode::off; break;
  }
  settings.failure_percent = percent_of(config.failure_rate);
  settings.slow_percent = percent_of(config.slow_rate);
  settings.slow_call = config.slow_call;
  settings.minimum_requests = config.minimum_requests;
  settings.consecutive_failures = config.consecutive_failures;
  settings.window = config.window;
  settings.open_for = config.open_for;
  settings.max_open_for = config.max_open_for;
  settings.probes = config.probes;
  settings.ramp = config.ramp;
  settings.shared = config.shared;
  return settings;
}

/// Everybody else first, then each that says it calls `service`.
std::vector<std::string> callers_of(const config::Model& model, const config::Service& service) {
  std::vector<std::string> callers{""};
  for (const config::Service& each : model.services) {
    if (std::ranges::find(each.calls, service.name) != each.calls.end()) callers.push_back(each.name);
  }
  return callers;
}

}  // namespace

std::vector<guard::Wanted> breakers_of(const config::Model& model) {
  std::vector<guard::Wanted> wanted;
  for (const config::Service& service : model.services) {
    if (!service.breaker) continue;
    const breaker::Settings settings = settings_of(*service.breaker);
    for (const std::string& caller : callers_of(model, service)) {
      wanted.push_back({breaker::circuit_name(caller, service.name), settings});
    }
  }
  return wanted;
}

Guards::Guards(const config::Model& model, const FindCircuit& find_circuit) : by_service_(model.services.size()) {
  for (std::size_t i = 0; i < model.services.size(); ++i) {
    const config::Service& service = model.services[i];
    if (!service.breaker) continue;
    for (std::string& caller : callers_of(model, service)) {
      const auto& circuit = circuits_.emplace_back(find_circuit(breaker::circuit_name(caller, service.name)));
      by_service_[i].push_back({std::move(caller), circuit.get()});
    }
  }
}

breaker::Circuit* Guards::find(std::uint32_t service, std::string_view caller) const {
  const std::vector<Guard>& guards = by_service_[service];
  if (guards.empty()) return nullptr;
  if (caller.empty()) return guards.front().circuit;
  const auto found = std::ranges::find(guards, caller, &Guard::caller);
  return found == guards.end() ? guards.front().circuit : found->circuit;
}

}  // namespace holdfast::proxy

#include "admin/collect.h"

#include <algorithm>

#include "base/rfc3339.h"
#include "proxy/proxy.h"

namespace holdfast::admin {
namespace {

void add_front(ClientStatus& sum, const proxy::Front& front) {
  sum.accepted += front.accepted.get();
  sum.open += front.open.get();
  sum.requests += front.requests.get();
  sum.bad_requests += front.bad_requests.get();
  sum.local_answers += front.local_answers.get();
  sum.slow_clients += front.slow_clients.get();
  sum.refused_connections += front.refused_connections.get();
}

void add_worker(Status& status, const proxy::Snapshot& snapshot, proxy::Worker& worker) {
  WorkerStatus& sum = status.workers.emplace_back();
  sum.waits_when_full = worker.waits_when_full.get();
  sum.waits_for_memory = worker.waits_for_memory.get();
  sum.waits_for_files = worker.waits_for_files.get();
  sum.refused_by_memory = worker.refused_by_memory.get();
  sum.refused_by_files = worker.refused_by_files.get();
  sum.log_records_dropped = worker.log_ring() == nullptr ? 0 : worker.log_ring()->dropped.get();
  for (const auto& [key, front] : worker.fronts()) {
    add_front(sum, front);
    const auto listener = std::ranges::find(status.listeners, front.name, &ListenerStatus::name);
    if (listener != status.listeners.end()) add_front(*listener, front);
  }

  // A worker adopts a new snapshot before it hears us: its services are those of `snapshot`, in the same order.
  const auto& locals = worker.snapshot()->services;
  for (std::size_t i = 0; i < std::min(locals.size(), snapshot.services.size()); ++i) {
    const upstream::LocalService& local = *locals[i];
    if (&local.service() != snapshot.services[i].get()) continue;
    ServiceStatus& service = status.services[i];
    service.requests += local.requests.get();
    service.retries += local.retries.get();
    service.queue_full += local.queue_full.get();
    service.queue_timeouts += local.queue_timeouts.get();
    for (std::size_t group = 0; group < service.answers.size(); ++group) {
      service.answers[group] += local.answers[group].get();
    }
    service.latency.add(local.latency);
    service.fallbacks.stale += local.fallbacks_stale.get();
    service.fallbacks.by_service += local.fallbacks_by_service.get();
    service.fallbacks.from_file += local.fallbacks_from_file.get();
    service.fallbacks.refused += local.fallbacks_refused.get();
    for (std::size_t k = 0; k < service.endpoints.size(); ++k) {
      const upstream::LocalEndpoint& endpoint = *local.endpoints()[k];
      service.endpoints[k].requests += endpoint.requests.get();
      service.endpoints[k].failures += endpoint.failures.get();
      service.endpoints[k].connects += endpoint.connects.get();
      service.endpoints[k].connect_failures += endpoint.connect_failures.get();
    }
  }
}

EndpointStatus endpoint_status(const upstream::Service& service, std::uint32_t index) {
  const upstream::Endpoint& endpoint = *service.endpoints()[index];
  const config::Endpoint& config = service.config().endpoints[index];
  EndpointStatus status;
  status.address = endpoint.name;
  status.weight = config.weight;
  status.zone = config.zone;
  status.backup = config.backup;
  status.in_flight = endpoint.load.in_flight.load(std::memory_order_relaxed);
  return status;
}

/// `wall_offset_us`: from an instant of the loop's clock to the wall's.
void add_health(EndpointStatus& status, const health::Member& member, std::int64_t wall_offset_us) {
  status.state = member.state;
  status.why = member.why;
  append_rfc3339(status.since, wall_offset_us + member.since.time_since_epoch() / 1us);
}

}  // namespace

Status collect(proxy::Proxy& proxy) {
  const proxy::Snapshot& snapshot = *proxy.snapshot();
  Status status;
  status.generation = snapshot.generation;
  status.memory = proxy.commons().memory.taken();
  status.memory_max = proxy.commons().memory.bytes();
  const std::int64_t wall_offset_us = io::read_wall_clock_us() - io::read_clock().time_since_epoch() / 1us;
  for (const config::Listener& listener : snapshot.model.listeners) {
    ListenerStatus& each = status.listeners.emplace_back();
    each.name = listener.name;
    each.protocol = listener.protocol == config::ListenerProtocol::http ? "http" : "tcp";
    for (const proxy::Proxy::Bound& bound : proxy.bound()) {
      if (bound.listener == listener.name) each.addresses.push_back(io::to_string(bound.address));
    }
  }
  for (const auto& service : snapshot.services) {
    ServiceStatus& each = status.services.emplace_back();
    each.name = service->name();
    each.balance = config::to_string(service->config().balance.algorithm);
    each.queued = service->queue().waiting();
    const std::span<const health::Member> health = proxy.health().view(*service);
    for (std::uint32_t i = 0; i < service->endpoints().size(); ++i) {
      EndpointStatus& endpoint = each.endpoints.emplace_back(endpoint_status(*service, i));
      if (i < health.size()) add_health(endpoint, health[i], wall_offset_us);
    }
  }
  if (const guard::Keeper* const keeper = proxy.breakers()) status.breakers = keeper->view();
  proxy.for_each_worker([&](proxy::Worker& worker) { add_worker(status, snapshot, worker); });
  return status;
}

}  // namespace holdfast::admin

#include "admin/collect.h"

#include <algorithm>

#include "proxy/proxy.h"

namespace holdfast::admin {
namespace {

void add_worker(Status& status, const proxy::Snapshot& snapshot, proxy::Worker& worker) {
  const proxy::WorkerCounters& counters = worker.counters;
  status.workers.push_back({
      .accepted = counters.accepted.get(),
      .waits_when_full = counters.waits_when_full.get(),
      .open = counters.open.get(),
      .requests = counters.requests.get(),
      .bad_requests = counters.bad_requests.get(),
      .local_answers = counters.local_answers.get(),
      .log_records_dropped = worker.log_ring() == nullptr ? 0 : worker.log_ring()->dropped.get(),
  });

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
    for (std::size_t k = 0; k < service.endpoints.size(); ++k) {
      const upstream::LocalEndpoint& endpoint = *local.endpoints()[k];
      service.endpoints[k].requests += endpoint.requests.get();
      service.endpoints[k].failures += endpoint.failures.get();
      service.endpoints[k].connects += endpoint.connects.get();
      service.endpoints[k].connect_failures += endpoint.connect_failures.get();
    }
  }
}

EndpointStatus endpoint_status(proxy::Proxy& proxy, const upstream::Service& service, std::uint32_t index) {
  const upstream::Endpoint& endpoint = *service.endpoints()[index];
  const config::Endpoint& config = service.config().endpoints[index];
  upstream::HealthKeeper::View view = proxy.health().view(service, index);
  EndpointStatus status;
  status.address = endpoint.name;
  status.weight = config.weight;
  status.zone = config.zone;
  status.backup = config.backup;
  status.state = view.state;
  status.why = std::move(view.why);
  status.in_flight = endpoint.load.in_flight.load(std::memory_order_relaxed);
  return status;
}

}  // namespace

Status collect(proxy::Proxy& proxy) {
  const proxy::Snapshot& snapshot = *proxy.snapshot();
  Status status;
  status.generation = snapshot.generation;
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
    for (std::uint32_t i = 0; i < service->endpoints().size(); ++i) {
      each.endpoints.push_back(endpoint_status(proxy, *service, i));
    }
  }
  proxy.for_each_worker([&](proxy::Worker& worker) { add_worker(status, snapshot, worker); });
  return status;
}

}  // namespace holdfast::admin

#include "admin/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <sstream>

namespace holdfast::admin {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

/// The families of the page in its order; references to one live until the next is begun.
class Page {
 public:
  MetricFamily& begin(MetricType type, std::string name, std::string help) {
    MetricFamily& family = families_.emplace_back();
    family.type = type;
    family.name = std::move(name);
    family.help = std::move(help);
    return family;
  }

  std::string text() const {
    std::ostringstream out;
    const prometheus::TextSerializer serializer;
    serializer.Serialize(out, families_);
    return std::move(out).str();
  }

 private:
  std::vector<MetricFamily> families_;
};

void add(MetricFamily& family, Labels labels, double value) {
  ClientMetric metric;
  metric.label = std::move(labels);
  (family.type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  family.metric.push_back(std::move(metric));
}

void add_process(Page& page, const Status& status) {
  add(page.begin(MetricType::Gauge, "holdfast_configuration_generation", "Generation of the configuration in use"), {},
      static_cast<double>(status.generation));
  add(page.begin(MetricType::Gauge, "holdfast_draining", "1 while the process finishes what it has and takes no more"),
      {}, status.standing.draining ? 1 : 0);
  if (status.standing.store_in_touch) {
    add(page.begin(MetricType::Gauge, "holdfast_store_in_touch",
                   "1 while the store is reached; without it, what was last known of it is used"),
        {}, *status.standing.store_in_touch ? 1 : 0);
  }
  add(page.begin(MetricType::Gauge, "holdfast_memory_bytes", "Memory of the buffers of all connections"), {},
      static_cast<double>(status.memory));
  add(page.begin(MetricType::Gauge, "holdfast_memory_limit_bytes", "Most memory that buffers may take"), {},
      static_cast<double>(status.memory_max));
}

// ---- families that have one number per worker, listener, service or endpoint

using OfWorker = std::uint64_t WorkerStatus::*;

void add_workers(Page& page, const Status& status, MetricType type, std::string name, std::string help,
                 OfWorker number) {
  MetricFamily& family = page.begin(type, std::move(name), std::move(help));
  for (std::size_t i = 0; i < status.workers.size(); ++i) {
    add(family, {{"worker", std::to_string(i)}}, static_cast<double>(status.workers[i].*number));
  }
}

using OfListener = std::uint64_t ListenerStatus::*;

void add_listeners(Page& page, const Status& status, MetricType type, std::string name, std::string help,
                   OfListener number) {
  MetricFamily& family = page.begin(type, std::move(name), std::move(help));
  for (const ListenerStatus& listener : status.listeners) {
    add(family, {{"listener", listener.name}}, static_cast<double>(listener.*number));
  }
}

template <class Number>
void add_services(Page& page, const Status& status, MetricType type, std::string name, std::string help,
                  Number ServiceStatus::* number) {
  MetricFamily& family = page.begin(type, std::move(name), std::move(help));
  for (const ServiceStatus& service : status.services) {
    add(family, {{"service", service.name}}, static_cast<double>(service.*number));
  }
}

template <class Number>
void add_endpoints(Page& page, const Status& status, MetricType type, std::string name, std::string help,
                   Number EndpointStatus::* number) {
  MetricFamily& family = page.begin(type, std::move(name), std::move(help));
  for (const ServiceStatus& service : status.services) {
    for (const EndpointStatus& endpoint : service.endpoints) {
      add(family, {{"service", service.name}, {"endpoint", endpoint.address}}, static_cast<double>(endpoint.*number));
    }
  }
}

// ---- families of a shape of their own

void add_answers(Page& page, const Status& status) {
  static constexpr std::array<const char*, 6> kClasses{"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
  MetricFamily& family = page.begin(MetricType::Counter, "holdfast_service_answers_total",
                                    "Requests answered, by class of status; none: the client was gone first");
  for (const ServiceStatus& service : status.services) {
    for (std::size_t i = 0; i < kClasses.size(); ++i) {
      add(family, {{"service", service.name}, {"class", kClasses[i]}}, static_cast<double>(service.answers[i]));
    }
  }
}

void add_latency(Page& page, const Status& status) {
  const auto seconds = [](Duration duration) { return std::chrono::duration<double>(duration).count(); };
  MetricFamily& family =
      page.begin(MetricType::Histogram, "holdfast_service_latency_seconds", "How long requests took, retries included");
  for (const ServiceStatus& service : status.services) {
    ClientMetric metric;
    metric.label = {{"service", service.name}};
    metric.histogram.sample_count = service.latency.count();
    metric.histogram.sample_sum = seconds(service.latency.sum());
    for (std::size_t i = 0; i < LatencyBuckets::kBounds; ++i) {
      metric.histogram.bucket.push_back({service.latency.below(i), seconds(LatencyBuckets::bound(i))});
    }
    family.metric.push_back(std::move(metric));
  }
}

// One series per state, 1 for the one that holds: sums and alerts need no table of numbers.
void add_states(Page& page, const Status& status) {
  using enum health::State;
  MetricFamily& family = page.begin(MetricType::Gauge, "holdfast_endpoint_state", "1 for the state an endpoint is in");
  for (const ServiceStatus& service : status.services) {
    for (const EndpointStatus& endpoint : service.endpoints) {
      for (const health::State state : {healthy, unhealthy, ejected, draining}) {
        const std::string word(health::to_string(state));
        add(family, {{"service", service.name}, {"endpoint", endpoint.address}, {"state", word}},
            endpoint.state == state ? 1 : 0);
      }
    }
  }
}

void add_fallbacks(Page& page, const Status& status) {
  MetricFamily& family = page.begin(MetricType::Counter, "holdfast_fallbacks_total",
                                    "Requests to a service that something else answered; refused: nothing could");
  for (const ServiceStatus& service : status.services) {
    const FallbackStatus& fallbacks = service.fallbacks;
    const auto one = [&](const char* kind, std::uint64_t count) {
      add(family, {{"service", service.name}, {"kind", kind}}, static_cast<double>(count));
    };
    one("stale", fallbacks.stale);
    one("service", fallbacks.by_service);
    one("file", fallbacks.from_file);
    one("refused", fallbacks.refused);
  }
}

void add_breakers(Page& page, const Status& status) {
  using enum breaker::State;
  MetricFamily& states = page.begin(MetricType::Gauge, "holdfast_breaker_state", "1 for the state a breaker is in");
  for (const guard::View& breaker : status.breakers) {
    for (const breaker::State state : {closed, open, half_open, ramp}) {
      add(states, {{"breaker", breaker.name}, {"state", std::string(breaker::to_string(state))}},
          breaker.state == state ? 1 : 0);
    }
  }
  const auto each = [&](MetricType type, const char* name, const char* help, auto number) {
    MetricFamily& family = page.begin(type, name, help);
    for (const guard::View& breaker : status.breakers) add(family, {{"breaker", breaker.name}}, number(breaker));
  };
  using View = guard::View;
  each(MetricType::Gauge, "holdfast_breaker_allowed", "Share of calls that may pass, 0 to 1",
       [](const View& view) { return view.allowed; });
  each(MetricType::Gauge, "holdfast_breaker_in_flight", "Calls under way",
       [](const View& view) { return static_cast<double>(view.in_flight); });
  each(MetricType::Counter, "holdfast_breaker_trips_total", "Times it opened by itself",
       [](const View& view) { return static_cast<double>(view.total); });
  each(MetricType::Counter, "holdfast_breaker_refused_total", "Calls it refused",
       [](const View& view) { return static_cast<double>(view.refused); });
}

}  // namespace

std::string metrics_text(const Status& status) {
  constexpr MetricType kCounter = MetricType::Counter;
  constexpr MetricType kGauge = MetricType::Gauge;
  using Worker = WorkerStatus;
  using Service = ServiceStatus;
  using Endpoint = EndpointStatus;
  Page page;
  add_process(page, status);

  const auto worker = [&](MetricType type, const char* name, const char* help, OfWorker number) {
    add_workers(page, status, type, name, help, number);
  };
  worker(kCounter, "holdfast_connections_accepted_total", "Client connections accepted", &Worker::accepted);
  worker(kCounter, "holdfast_accept_pauses_total", "Times accepting paused at max_connections",
         &Worker::waits_when_full);
  worker(kCounter, "holdfast_accept_pauses_for_memory_total", "Times accepting paused because memory was used up",
         &Worker::waits_for_memory);
  worker(kCounter, "holdfast_accept_pauses_for_files_total", "Times accepting paused because files were used up",
         &Worker::waits_for_files);
  worker(kCounter, "holdfast_refused_for_memory_total", "Requests refused because memory was used up",
         &Worker::refused_by_memory);
  worker(kCounter, "holdfast_refused_for_files_total", "Requests refused because no file was left for a connection",
         &Worker::refused_by_files);
  worker(kCounter, "holdfast_slow_clients_total", "Requests ended because their client was too slow",
         &Worker::slow_clients);
  worker(kCounter, "holdfast_connections_refused_total", "Connections beyond connections_per_address",
         &Worker::refused_connections);
  worker(kGauge, "holdfast_connections_open", "Client connections open", &Worker::open);
  worker(kCounter, "holdfast_requests_total", "Requests read from clients", &Worker::requests);
  worker(kCounter, "holdfast_bad_requests_total", "Requests refused for their form", &Worker::bad_requests);
  worker(kCounter, "holdfast_local_answers_total", "Answers made here, not by an endpoint", &Worker::local_answers);
  worker(kCounter, "holdfast_access_log_dropped_total", "Access-log records lost to a full ring",
         &Worker::log_records_dropped);

  using Listener = ListenerStatus;
  const auto listener = [&](MetricType type, const char* name, const char* help, OfListener number) {
    add_listeners(page, status, type, name, help, number);
  };
  listener(kCounter, "holdfast_listener_connections_accepted_total", "Client connections accepted",
           &Listener::accepted);
  listener(kGauge, "holdfast_listener_connections_open", "Client connections open", &Listener::open);
  listener(kCounter, "holdfast_listener_requests_total", "Requests read from clients", &Listener::requests);
  listener(kCounter, "holdfast_listener_bad_requests_total", "Requests refused for their form",
           &Listener::bad_requests);
  listener(kCounter, "holdfast_listener_local_answers_total", "Answers made here, not by an endpoint",
           &Listener::local_answers);
  listener(kCounter, "holdfast_listener_slow_clients_total", "Requests ended because their client was too slow",
           &Listener::slow_clients);
  listener(kCounter, "holdfast_listener_connections_refused_total", "Connections beyond connections_per_address",
           &Listener::refused_connections);

  const auto service = [&](MetricType type, const char* name, const char* help, auto number) {
    add_services(page, status, type, name, help, number);
  };
  service(kCounter, "holdfast_service_requests_total", "Requests routed to the service", &Service::requests);
  add_answers(page, status);
  add_latency(page, status);
  service(kCounter, "holdfast_service_retries_total", "Tries after the first", &Service::retries);
  service(kGauge, "holdfast_service_queued", "Requests that wait for a place at an endpoint", &Service::queued);
  service(kCounter, "holdfast_service_queue_full_total", "Requests refused by a full queue", &Service::queue_full);
  service(kCounter, "holdfast_service_queue_timeouts_total", "Requests that waited too long", &Service::queue_timeouts);

  const auto endpoint = [&](MetricType type, const char* name, const char* help, auto number) {
    add_endpoints(page, status, type, name, help, number);
  };
  endpoint(kCounter, "holdfast_endpoint_requests_total", "Requests sent to the endpoint", &Endpoint::requests);
  endpoint(kCounter, "holdfast_endpoint_failures_total", "Requests the endpoint failed", &Endpoint::failures);
  endpoint(kCounter, "holdfast_endpoint_connects_total", "Connections begun", &Endpoint::connects);
  endpoint(kCounter, "holdfast_endpoint_connect_failures_total", "Connections that could not be opened",
           &Endpoint::connect_failures);
  endpoint(kGauge, "holdfast_endpoint_in_flight", "Requests at the endpoint", &Endpoint::in_flight);
  add_states(page, status);
  add_fallbacks(page, status);
  add_breakers(page, status);
  return page.text();
}

}  // namespace holdfast::admin

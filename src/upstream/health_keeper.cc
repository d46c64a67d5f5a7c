#include "upstream/health_keeper.h"

#include <algorithm>

#include "balance/member.h"
#include "health/check_schedule.h"
#include "upstream/probe.h"

namespace holdfast::upstream {
namespace {

static_assert(health::kWholeShare == balance::kWholeShare, "shares mean the same on both floors");

/// Checks in progress at once, of all services: 10,000 endpoints must not mean 10,000 connections at once.
constexpr std::size_t kChecksAtOnce = 256;
/// While an ejection or a slow start is pending, time is looked at this often at least.
constexpr Duration kLongestNap = 250ms;

health::Rules rules_of(const config::Service& config) {
  health::Rules rules;
  if (config.health_check) {
    rules.healthy_threshold = config.health_check->healthy_threshold;
    rules.unhealthy_threshold = config.health_check->unhealthy_threshold;
  }
  rules.outlier_ejection = config.outlier_ejection.has_value();
  if (config.outlier_ejection) {
    rules.consecutive_failures = config.outlier_ejection->consecutive_failures;
    rules.base_time = config.outlier_ejection->base_time;
    rules.max_time = config.outlier_ejection->max_time;
    rules.max_ejected_percent = config.outlier_ejection->max_ejected.basis_points / 100;
  }
  rules.slow_start = config.slow_start;
  rules.all_down = config.all_down == config::AllDown::try_all ? health::AllDown::try_all : health::AllDown::fail;
  return rules;
}

// What a health check calls the endpoint in its Host: as the file does.
std::string host_of(const config::Endpoint& endpoint) {
  if (endpoint.host_name.empty()) return config::to_string(endpoint.address);
  return endpoint.host_name + ":" + std::to_string(endpoint.address.port);
}

std::vector<health::Endpoint> endpoints_of(const Service& service) {
  std::vector<health::Endpoint> endpoints;
  for (std::size_t i = 0; i < service.endpoints().size(); ++i) {
    endpoints.push_back({service.endpoints()[i]->identity, service.config().endpoints[i].backup});
  }
  return endpoints;
}

}  // namespace

struct HealthKeeper::Watch : Pinned {
  Watch(std::shared_ptr<Service> service_, Instant now)
      : service(std::move(service_)), group(rules_of(service->config()), endpoints_of(*service), now) {
    states.assign(group.members().size(), health::State::healthy);
    recovering.assign(group.members().size(), false);
  }

  const std::shared_ptr<Service> service;
  health::Group group;
  std::vector<health::State> states;  ///< as last told
  std::vector<bool> recovering;       ///< a recovery probe runs
  io::Stop stop;
  bool keeping_time = false;
};

HealthKeeper::HealthKeeper(io::Loop& loop, Tell tell)
    : loop_(loop),
      tell_(std::move(tell)),
      prng_(static_cast<std::uint64_t>(loop.now().time_since_epoch().count())),
      tasks_(loop) {}

HealthKeeper::~HealthKeeper() = default;

std::shared_ptr<HealthKeeper::Watch> HealthKeeper::find(const Service& service) const {
  const auto found = watches_.find(&service);
  return found == watches_.end() ? nullptr : found->second;
}

void HealthKeeper::watch(std::span<const std::shared_ptr<Service>> services) {
  std::unordered_map<std::string_view, std::shared_ptr<Watch>> by_name;
  for (const auto& [service, watch] : watches_) by_name.emplace(service->name(), watch);
  std::unordered_map<const Service*, std::shared_ptr<Watch>> gone = std::move(watches_);
  watches_.clear();
  for (const std::shared_ptr<Service>& service : services) {
    const auto known = gone.find(service.get());
    if (known != gone.end()) {
      watches_.insert(gone.extract(known));
      continue;
    }
    const auto watch = std::make_shared<Watch>(service, loop_.now());
    watches_.emplace(service.get(), watch);
    const auto before = by_name.find(service->name());
    if (before != by_name.end()) {
      watch->group.adopt(before->second->group, loop_.now());
      service->publish_shares(watch->group.shares());
    }
    for (std::uint32_t i = 0; i < watch->states.size(); ++i) {
      watch->states[i] = watch->group.members()[i].state;
      if (service->config().health_check) tasks_.add(check_endpoint(watch, i));
      start_recovery(watch, i, soon());
    }
    begin_keeping_time(watch);
  }
  for (const auto& [service, watch] : gone) watch->stop.request();
}

void HealthKeeper::stop() {
  for (const auto& [service, watch] : watches_) watch->stop.request();
}

std::span<const health::Member> HealthKeeper::view(const Service& service) const {
  const std::shared_ptr<Watch> watch = find(service);
  return watch == nullptr ? std::span<const health::Member>{} : watch->group.members();
}

Instant HealthKeeper::soon() { return health::CheckSchedule::next_recovery(loop_.now(), loop_.now(), prng_); }

// ---- what workers report

void HealthKeeper::report_connect_failure(const std::shared_ptr<Service>& service, std::uint32_t endpoint) {
  if (service->endpoints()[endpoint]->reported.exchange(true, std::memory_order_relaxed)) return;
  loop_.post([this, service, endpoint] {
    service->endpoints()[endpoint]->reported.store(false, std::memory_order_relaxed);
    const std::shared_ptr<Watch> watch = find(*service);
    if (watch == nullptr) return;
    publish(watch, watch->group.on_connect_failure(endpoint, loop_.now()));
    start_recovery(watch, endpoint, soon());
  });
}

void HealthKeeper::report_failures(const std::shared_ptr<Service>& service, std::uint32_t endpoint,
                                   std::uint32_t in_a_row) {
  if (service->endpoints()[endpoint]->reported.exchange(true, std::memory_order_relaxed)) return;
  loop_.post([this, service, endpoint, in_a_row] {
    service->endpoints()[endpoint]->reported.store(false, std::memory_order_relaxed);
    const std::shared_ptr<Watch> watch = find(*service);
    if (watch == nullptr) return;
    if (watch->group.members()[endpoint].state != health::State::healthy) return;
    const bool changed = watch->group.on_consecutive_failures(endpoint, in_a_row, loop_.now());
    // The count starts over with the decision, or the first success afterwards would find it still high.
    (void)balance::count_outcome(service->endpoints()[endpoint]->load, false);
    publish(watch, changed);
    // At once: who was killed under load fails requests before it refuses connections, and may be back in a moment.
    start_recovery(watch, endpoint, loop_.now());
  });
}

// ---- what follows

// Called for every check that ends: what changes nothing must not cost a look at all endpoints.
void HealthKeeper::publish(const std::shared_ptr<Watch>& watch, bool changed) {
  if (!changed) return;
  watch->service->publish_shares(watch->group.shares());
  for (std::uint32_t i = 0; i < watch->states.size(); ++i) {
    const health::Member& member = watch->group.members()[i];
    if (member.state == watch->states[i]) continue;
    watch->states[i] = member.state;
    tell_(*watch->service, i, member.state, member.why);
  }
  begin_keeping_time(watch);
}

void HealthKeeper::begin_keeping_time(const std::shared_ptr<Watch>& watch) {
  if (watch->keeping_time || watch->stop.requested() || watch->group.next_wake() == kNever) return;
  watch->keeping_time = true;
  tasks_.add(keep_time(watch));
}

io::Task<> HealthKeeper::keep_time(std::shared_ptr<Watch> watch) {
  while (!watch->stop.requested()) {
    const Instant next = watch->group.next_wake();
    if (next == kNever) break;
    // What happens meanwhile may be due earlier: never sleep long.
    co_await io::sleep_until(loop_, std::min(next, loop_.now() + kLongestNap), watch->stop);
    publish(watch, watch->group.tick(loop_.now()));
  }
  watch->keeping_time = false;
}

void HealthKeeper::start_recovery(const std::shared_ptr<Watch>& watch, std::uint32_t index, Instant first) {
  if (!watch->group.wants_recovery_probe(index) || watch->recovering[index]) return;
  watch->recovering[index] = true;
  tasks_.add(recover_endpoint(watch, index, first));
}

// Is anybody listening (again)? With a health check configured its own word counts. The first look may come before the
// kernel has closed what a killed server listened on: a few more follow at once, or its refusal would be missed.
io::Task<> HealthKeeper::recover_endpoint(std::shared_ptr<Watch> watch, std::uint32_t index, Instant first) {
  constexpr unsigned kQuickLooks = 4;
  constexpr Duration kQuick = 15ms;
  Instant next = first;
  unsigned looks = 0;
  while (!watch->stop.requested() && watch->group.wants_recovery_probe(index)) {
    co_await io::sleep_until(loop_, next, watch->stop);
    if (watch->stop.requested()) break;
    const Instant begun = loop_.now();
    const ProbeResult result = co_await probe(watch, index);
    if (result.refused) watch->group.on_refusal(index);
    publish(watch, watch->group.on_recovery_probe(index, result.ok, loop_.now()));
    const bool soon = ++looks <= kQuickLooks && !result.refused;
    next = soon ? loop_.now() + kQuick : health::CheckSchedule::next_recovery(begun, loop_.now(), prng_);
  }
  watch->recovering[index] = false;
}

io::Task<> HealthKeeper::check_endpoint(std::shared_ptr<Watch> watch, std::uint32_t index) {
  const config::HealthCheck& check = *watch->service->config().health_check;
  const health::CheckSchedule schedule(check.interval);
  const auto count = static_cast<std::uint32_t>(watch->states.size());
  Instant next = schedule.first(index, count, loop_.now(), prng_);
  while (true) {
    co_await io::sleep_until(loop_, next, watch->stop);
    if (watch->stop.requested()) break;
    if (checks_running_ >= kChecksAtOnce) {
      next = loop_.now() + 10ms;  // soon, when others have ended
      continue;
    }
    const Instant begun = loop_.now();
    const ProbeResult result = co_await probe(watch, index);
    if (watch->stop.requested()) break;
    publish(watch, watch->group.on_check(index, result.ok, loop_.now()));
    next = schedule.next(begun, loop_.now(), prng_);
    // Who is out and refuses costs nobody anything to ask, and one check more brings back who passes again: both soon.
    const bool out = watch->group.members()[index].state == health::State::unhealthy;
    if (out && (result.ok || result.refused)) {
      next = std::min(next, health::CheckSchedule::next_recovery(begun, loop_.now(), prng_));
    }
  }
}

io::Task<ProbeResult> HealthKeeper::probe(std::shared_ptr<Watch> watch, std::uint32_t index) {
  const config::Service& config = watch->service->config();
  const Endpoint& endpoint = *watch->service->endpoints()[index];
  const config::HealthCheck check = config.health_check.value_or(config::HealthCheck{});
  const Deadline deadline = loop_.now() + check.timeout;
  ++checks_running_;
  ProbeResult result;
  if (check.http.empty()) {
    result = co_await probe_tcp(loop_, endpoint.address, deadline);
  } else {
    std::string host = check.host.empty() ? host_of(config.endpoints[index]) : check.host;
    result = co_await probe_http(loop_, endpoint.address, std::move(host), check.http, check.expect, deadline);
  }
  --checks_running_;
  co_return result;
}

}  // namespace holdfast::upstream

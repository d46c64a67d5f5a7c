#include "config/checks.h"

#include <algorithm>
#include <span>
#include <string>
#include <unordered_map>

#include "config/nearest.h"
#include "config/words.h"

namespace holdfast::config {
namespace {

/// The item of a list, or the value itself where a single one stands for a list.
const Node& item(const Node& list, std::size_t index) { return list.is_list() ? list.children[index] : list; }

void check_binds(const Listener& listener, const Node& node, Reading& reading) {
  const Node* binds = node.find("bind");
  if (binds == nullptr) return;
  for (std::size_t i = 0; i < listener.bind.size(); ++i) {
    if (listener.bind[i].host.empty()) continue;  // wrong, and reported
    const Reading::Step step(reading, "bind");
    reading.bind(item(*binds, i).mark, listener.bind[i]);
  }
}

/// `earlier` takes every request that `later` could take.
bool hides(const Route& earlier, const Route& later) {
  if (!later.path.starts_with(earlier.path)) return false;
  switch (earlier.host.kind) {
    case HostPattern::Kind::any: return true;
    case HostPattern::Kind::exact: return later.host == earlier.host;
    case HostPattern::Kind::suffix: break;
  }
  return later.host.kind != HostPattern::Kind::any && later.host.name.ends_with(earlier.host.name);
}

/// Routes that are compared with each other; a longer list is not searched for hidden ones (it would cost the square).
constexpr std::size_t kComparedRoutes = 500;

void check_hidden(const Listener& listener, const Node& routes, Reading& reading) {
  const std::size_t size = std::min(listener.routes.size(), kComparedRoutes);
  for (std::size_t later = 1; later < size; ++later) {
    for (std::size_t earlier = 0; earlier < later; ++earlier) {
      if (!hides(listener.routes[earlier], listener.routes[later])) continue;
      const Reading::Step list(reading, "routes");
      const Reading::Step at(reading, later);
      reading.wrong(routes.children[later].mark, "is never reached: the route on line " +
                                                     std::to_string(routes.children[earlier].mark.line) +
                                                     " takes all of its requests; put this one before it");
      break;
    }
  }
}

void check_tcp_routes(const Listener& listener, const Node& routes, Reading& reading) {
  const Reading::Step step(reading, "routes");
  const bool plain = listener.routes.size() == 1 && listener.routes[0].host == HostPattern{} &&
                     listener.routes[0].path == Route{}.path && listener.routes[0].redirect() == nullptr;
  if (!plain) {
    reading.wrong(routes.mark,
                  "a tcp listener sees no host and no path; expected one route to a service: [{ service: NAME }]");
  }
}

void refer_routes(const Listener& listener, const Node& routes, Reading& reading) {
  const ServiceProtocol wanted =
      listener.protocol == ListenerProtocol::http ? ServiceProtocol::http1 : ServiceProtocol::tcp;
  for (std::size_t i = 0; i < listener.routes.size(); ++i) {
    const std::string* service = listener.routes[i].service();
    const Node* name = routes.children[i].find("service");
    if (service == nullptr || service->empty() || name == nullptr) continue;
    const Reading::Step list(reading, "routes");
    const Reading::Step at(reading, i);
    const Reading::Step key(reading, "service");
    reading.refer(name->mark, *service, wanted);
  }
}

void check_endpoints(const Service& service, const Node& node, Reading& reading) {
  const Node* endpoints = node.find("endpoints");
  if (endpoints == nullptr || service.endpoints.empty()) return;
  std::unordered_map<std::string, unsigned> lines;
  for (std::size_t i = 0; i < service.endpoints.size(); ++i) {
    const Node& written = item(*endpoints, i);
    const Endpoint& endpoint = service.endpoints[i];
    if (endpoint.address.host.empty()) continue;  // wrong, and reported
    const std::string address = to_string(endpoint.address);
    const auto [first, fresh] = lines.emplace(address, written.mark.line);
    const bool unweighted =
        service.balance.algorithm == Algorithm::weighted_round_robin && written.find("weight") == nullptr;
    if (fresh && !unweighted) continue;
    const Reading::Step list(reading, "endpoints");
    const Reading::Step at(reading, i);
    if (!fresh) {
      reading.wrong(written.mark, address + " stands on line " + std::to_string(first->second) +
                                      " already; keep one of them (and give it a weight to send it more)");
    }
    if (unweighted) {
      reading.wrong(written.mark, "weighted_round_robin requires a weight for every endpoint; write { address: " +
                                      address + ", weight: 1 }, or balance: round_robin");
    }
  }
}

void check_tcp_service(const Service& service, const Node& node, Reading& reading) {
  const auto refuse = [&](std::string_view key, std::string_view why) {
    const Node* value = node.find(key);
    const Reading::Step step(reading, key);
    reading.wrong(value != nullptr ? value->mark : node.mark, why);
  };
  const bool hashes_http =
      service.balance.algorithm == Algorithm::hash && service.balance.hash.key.source != HashKey::Source::client_ip;
  if (hashes_http) refuse("balance", "a tcp service sees no requests; hash by client_ip, or set protocol: http1");
  if (!service.balance.sticky_cookie.empty()) {
    refuse("balance", "a tcp service sees no cookies; write { hash: client_ip }, or set protocol: http1");
  }
  if (!service.retries.on.statuses.empty()) {
    refuse("retries", "a tcp service sees no statuses; retry on connect_failure, or set protocol: http1");
  }
  if (service.breaker) refuse("breaker", "a tcp service sees no answers; remove it, or set protocol: http1");
  if (service.fallback) refuse("fallback", "a tcp service has no answers; remove it, or set protocol: http1");
  if (service.limits.concurrency != Concurrency::unlimited) {
    refuse("limits", "a tcp service sees no answers to adapt to; remove concurrency, or set protocol: http1");
  }
}

// The services that stand in for one another must end somewhere.
void check_stand_ins(const Model& model, const Node& services, Reading& reading) {
  std::unordered_map<std::string_view, std::string_view> next;
  for (const Service& service : model.services) {
    if (service.fallback && !service.fallback->service.empty()) next.emplace(service.name, service.fallback->service);
  }
  for (const Service& service : model.services) {
    std::string way = service.name;
    auto at = next.find(service.name);
    for (std::size_t steps = 0; at != next.end() && steps < next.size(); ++steps) {
      way.append(" -> ").append(at->second);
      if (at->second != service.name) {
        at = next.find(at->second);
        continue;
      }
      const Reading::Step all(reading, "services");
      const Reading::Step one(reading, service.name);
      const Reading::Step fallback(reading, "fallback");
      const Reading::Step key(reading, "service");
      reading.wrong(services.find(service.name)->find("fallback")->find("service")->mark,
                    "leads back to itself (" + way + "); end it with body or file");
      break;
    }
  }
}

void check_calls(const Service& service, const Node& node, Reading& reading) {
  const Node* calls = node.find("calls");
  for (std::size_t i = 0; i < service.calls.size(); ++i) {
    if (service.calls[i].empty()) continue;  // wrong, and reported
    const Reading::Step list(reading, "calls");
    const Reading::Step at(reading, i);
    const auto first = std::ranges::find(service.calls, service.calls[i]);
    if (first != service.calls.begin() + static_cast<std::ptrdiff_t>(i)) {
      reading.wrong(calls->children[i].mark, '"' + service.calls[i] + "\" is listed twice; remove one");
    }
    reading.refer(calls->children[i].mark, service.calls[i], std::nullopt);
  }
}

}  // namespace

void check_section(const Admin& admin, const Node& node, Reading& reading, bool) {
  const Node* bind = node.find("bind");
  if (bind == nullptr || admin.bind.host.empty()) return;
  const Reading::Step step(reading, "bind");
  reading.bind(bind->mark, admin.bind);
}

void check_section(const Route&, const Node& node, Reading& reading, bool sound) {
  if (!sound) return;
  const bool service = node.find("service") != nullptr;
  const bool redirect = node.find("redirect") != nullptr;
  if (service && redirect) reading.wrong(node.mark, "has both a service and a redirect; keep one of them");
  if (!service && !redirect) {
    reading.wrong(node.mark, "leads nowhere; add service: NAME or redirect: { to: /path, status: 308 }");
  }
}

void check_section(const Listener& listener, const Node& node, Reading& reading, bool sound) {
  check_binds(listener, node, reading);
  if (!listener.caller.empty()) {
    const Reading::Step step(reading, "caller");
    reading.refer(node.find("caller")->mark, listener.caller, std::nullopt);
    if (listener.protocol == ListenerProtocol::tcp) {
      reading.wrong(node.find("caller")->mark, "a tcp listener makes no calls; remove it");
    }
  }
  const Node* routes = node.find("routes");
  if (routes == nullptr || (listener.routes.empty() && !listener.by_service_name)) return;
  if (listener.protocol == ListenerProtocol::tcp) {
    check_tcp_routes(listener, *routes, reading);
  } else if (sound && !listener.routes.empty()) {
    check_hidden(listener, *routes, reading);
  }
  if (!listener.routes.empty()) refer_routes(listener, *routes, reading);
}

void check_section(const Proxy& proxy, const Node& node, Reading& reading, bool sound) {
  if (!sound || proxy.memory == 0) return;
  const std::size_t least = kMemoryBuffersMin * proxy.buffer_bytes;
  if (proxy.memory >= least) return;
  reading.wrong(node.mark, "memory holds fewer than " + std::to_string(kMemoryBuffersMin) +
                               " buffers of buffer_bytes; give it " + write_bytes(least) + " at least");
}

void check_section(const HealthCheck& check, const Node& node, Reading& reading, bool sound) {
  if (!sound) return;
  const bool http = node.find("http") != nullptr;
  const bool tcp = node.find("tcp") != nullptr;
  if (http == tcp) {
    reading.wrong(node.mark,
                  http ? "asks for http and tcp; keep one of them" : "checks nothing; add http: /healthz or tcp: true");
  }
  if (!tcp || http) return;
  if (check.expect != HealthCheck{}.expect || !check.host.empty()) {
    reading.wrong(node.mark, "a tcp check sees no answer; remove host and expect, or check http: /healthz");
  }
}

void check_section(const Service& service, const Node& node, Reading& reading, bool) {
  check_endpoints(service, node, reading);
  if (service.protocol == ServiceProtocol::tcp) check_tcp_service(service, node, reading);
  check_calls(service, node, reading);
  if (service.fallback && !service.fallback->service.empty()) {
    const Node* const fallback = node.find("fallback");
    const Reading::Step section(reading, "fallback");
    const Reading::Step key(reading, "service");
    reading.refer(fallback->find("service")->mark, service.fallback->service, ServiceProtocol::http1);
  }
}

namespace {

/// Breakers count in whole per cents, also in the store and in what they tell others.
void check_whole(Share share, const char* key, const Node& node, Reading& reading) {
  constexpr std::uint32_t kWhole = 100;
  if (share.basis_points % kWhole == 0) return;
  const Reading::Step step(reading, key);
  reading.wrong(node.find(key)->mark,
                "a breaker counts in whole per cents; write " + std::to_string(share.basis_points / kWhole) + "%");
}

}  // namespace

void check_section(const Breaker& breaker, const Node& node, Reading& reading, bool sound) {
  if (!sound) return;
  check_whole(breaker.failure_rate, "failure_rate", node, reading);
  check_whole(breaker.slow_rate, "slow_rate", node, reading);
  if (breaker.max_open_for >= breaker.open_for) return;
  reading.wrong(node.mark,
                "max_open_for is shorter than open_for; make it " + write_duration(breaker.open_for) + " at least");
}

void check_section(const Fallback& fallback, const Node& node, Reading& reading, bool sound) {
  if (!sound) return;
  const bool answers = node.find("status") != nullptr || node.find("body") != nullptr || node.find("file") != nullptr;
  if (!answers && fallback.stale == Duration::zero() && fallback.service.empty()) {
    reading.wrong(node.mark, "has nothing to answer; add stale: 10m, service: NAME or body: TEXT");
  }
  if (!fallback.body.empty() && !fallback.file.empty()) {
    reading.wrong(node.mark, "has both a body and a file; keep one of them");
  }
  if (!answers && !fallback.headers.empty()) {
    reading.wrong(node.mark, "has headers but no answer to put them on; add body: TEXT");
  }
}

namespace {

/// What has no meaning without a cluster.
void check_alone(const Service& service, const Node& node, Reading& reading) {
  if (service.endpoints_found) {
    const Reading::Step step(reading, "endpoints");
    reading.wrong(node.find("endpoints")->mark,
                  "there is no store to find them in; add cluster: { store: sqlite:/var/lib/holdfast/store.db }");
  }
  const Node* const shared = service.breaker ? node.find("breaker")->find("shared") : nullptr;
  if (shared == nullptr || shared->text != "true") return;
  const Reading::Step breaker(reading, "breaker");
  const Reading::Step step(reading, "shared");
  reading.wrong(
      shared->mark,
      "there is nobody to share it with; add cluster: { store: sqlite:/var/lib/holdfast/store.db }, or remove "
      "it");
}

}  // namespace

void check_section(const Model& model, const Node& node, Reading& reading, bool) {
  const Node* services = node.find("services");
  if (services == nullptr) return;
  check_stand_ins(model, *services, reading);
  if (model.cluster) return;
  const Reading::Step all(reading, "services");
  for (std::size_t i = 0; i < model.services.size(); ++i) {  // in the order of the file
    const Reading::Step one(reading, model.services[i].name);
    check_alone(model.services[i], services->children[2 * i + 1], reading);
  }
}

void check_section(const StoreAddress& store, const Node& node, Reading& reading, bool sound) {
  if (!sound) return;
  if (store.user.empty() != store.password_file.empty()) {
    reading.wrong(node.mark, store.user.empty() ? "has a password but no user; add user: NAME"
                                                : "has a user but no password; add password: file:/path");
  }
  for (std::size_t i = 0; i < store.members.size(); ++i) {
    const auto first = std::ranges::find(store.members, store.members[i]);
    if (first == store.members.begin() + static_cast<std::ptrdiff_t>(i)) continue;
    reading.wrong(node.find("etcd")->children[i].mark, to_string(store.members[i]) + " is listed twice; remove one");
  }
}

void check_section(const StoreTls& tls, const Node& node, Reading& reading, bool sound) {
  if (!sound || tls.certificate.empty() == tls.key.empty()) return;
  reading.wrong(node.mark, tls.key.empty() ? "has a certificate but no key; add key: /path"
                                           : "has a key but no certificate; add certificate: /path");
}

void check_model(const Model& model, Reading& reading) {
  std::unordered_map<std::string_view, ServiceProtocol> known;
  std::vector<std::string_view> names;
  for (const Service& service : model.services) {
    known.emplace(service.name, service.protocol);
    names.push_back(service.name);
  }
  for (const Reference& reference : reading.references()) {
    const auto found = known.find(reference.service);
    if (found == known.end()) {
      const std::optional<std::string_view> close =
          reading.overwhelmed() ? std::nullopt : nearest(reference.service, names);
      reading.say(reference.mark,
                  reference.place + ": there is no service \"" + reference.service + '"' +
                      (close ? "; did you mean \"" + std::string(*close) + "\"?" : "; add it to services"));
    } else if (reference.protocol && *reference.protocol != found->second) {
      const bool tcp = found->second == ServiceProtocol::tcp;
      reading.say(reference.mark, reference.place + ": service \"" + reference.service + "\" speaks " +
                                      (tcp ? "tcp" : "http1") + ", but here it has to speak " +
                                      (tcp ? "http1" : "tcp") + "; change its protocol, or name another one");
    }
  }
}

}  // namespace holdfast::config

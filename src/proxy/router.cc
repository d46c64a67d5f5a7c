#include "proxy/router.h"

#include <array>

#include "base/hash.h"
#include "base/text.h"

namespace holdfast::proxy {
namespace {

// RFC 1035 2.3.4: a name has at most 255 octets; a longer Host matches no exact pattern.
constexpr std::size_t kHostBytesMax = 255;

bool matches(const config::HostPattern& pattern, std::string_view lower_host) {
  switch (pattern.kind) {
    case config::HostPattern::Kind::any: return true;
    case config::HostPattern::Kind::exact: return lower_host == pattern.name;
    case config::HostPattern::Kind::suffix:
      return lower_host.size() > pattern.name.size() && lower_host.ends_with(pattern.name);
  }
  return false;
}

}  // namespace

std::size_t Router::HashHost::operator()(std::string_view host) const { return hash64(host); }

Router::Router(const config::Listener& listener, const config::Model& model) {
  std::unordered_map<std::string_view, std::uint32_t> index_of;
  for (std::uint32_t i = 0; i < model.services.size(); ++i) index_of.emplace(model.services[i].name, i);

  if (listener.by_service_name) {
    for (const auto& [name, index] : index_of) {
      if (model.services[index].protocol != config::ServiceProtocol::http1) continue;
      routes_.push_back({{config::HostPattern::Kind::exact, std::string(name)}, "/", {.service = index}});
    }
  }
  for (const config::Route& route : listener.routes) {
    Destination destination;
    if (const std::string* service = route.service()) destination.service = index_of.at(*service);
    destination.redirect = route.redirect();
    routes_.push_back({route.host, route.path, destination});
  }

  for (std::uint32_t i = 0; i < routes_.size(); ++i) {
    const config::HostPattern& host = routes_[i].host;
    if (host.kind == config::HostPattern::Kind::exact) {
      by_host_.try_emplace(host.name);
    } else {
      any_host_.push_back(i);
    }
  }
  if (listener.by_service_name) {  // every host has exactly its own route: no need to look at all pairs
    for (std::uint32_t i = 0; i < routes_.size(); ++i) by_host_[routes_[i].host.name] = {i};
    return;
  }
  for (auto& [name, candidates] : by_host_) {
    for (std::uint32_t i = 0; i < routes_.size(); ++i) {
      if (matches(routes_[i].host, name)) candidates.push_back(i);
    }
  }
}

Destination Router::route(std::string_view host, std::string_view path) const {
  std::array<char, kHostBytesMax> lower;
  std::string_view lower_host;
  if (host.size() <= lower.size()) {
    for (std::size_t i = 0; i < host.size(); ++i) lower[i] = to_lower(host[i]);
    lower_host = {lower.data(), host.size()};
  }
  const auto own = by_host_.empty() ? by_host_.end() : by_host_.find(lower_host);
  for (const std::uint32_t i : own != by_host_.end() ? own->second : any_host_) {
    const Route& route = routes_[i];
    if (own == by_host_.end() && !matches(route.host, lower_host)) continue;
    if (path.starts_with(route.path) || (path == "*" && route.path == "/")) return route.destination;
  }
  return {};
}

}  // namespace holdfast::proxy

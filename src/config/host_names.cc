#include "config/host_names.h"

#include <algorithm>
#include <set>

namespace holdfast::config {
namespace {

bool is_name(const Endpoint& endpoint) { return endpoint.address.kind == Address::Kind::name; }

std::vector<Endpoint> expand(const std::vector<Endpoint>& endpoints, const AddressesByName& known) {
  std::vector<Endpoint> all;
  std::set<std::string> seen;
  const auto add = [&](Endpoint endpoint) {
    if (seen.insert(to_string(endpoint.address)).second) all.push_back(std::move(endpoint));
  };
  for (const Endpoint& endpoint : endpoints) {
    if (!is_name(endpoint)) {
      add(endpoint);
      continue;
    }
    const auto found = known.find(endpoint.address.host);
    if (found == known.end()) continue;
    for (const Address& address : found->second) {
      Endpoint one = endpoint;
      one.host_name = endpoint.address.host;
      one.address = address;
      one.address.port = endpoint.address.port;
      add(std::move(one));
    }
  }
  return all;
}

}  // namespace

Model with_found(Model model, const FoundEndpoints& found) {
  for (Service& service : model.services) {
    if (!service.endpoints_found) continue;
    const auto known = found.find(service.name);
    if (known != found.end()) service.endpoints = known->second;
  }
  return model;
}

std::vector<std::string> host_names(const Model& model) {
  std::set<std::string> names;
  for (const Service& service : model.services) {
    for (const Endpoint& endpoint : service.endpoints) {
      if (is_name(endpoint)) names.insert(endpoint.address.host);
    }
  }
  return {names.begin(), names.end()};
}

Model with_addresses(Model model, const AddressesByName& known) {
  for (Service& service : model.services) {
    if (std::ranges::any_of(service.endpoints, is_name)) service.endpoints = expand(service.endpoints, known);
  }
  return model;
}

}  // namespace holdfast::config

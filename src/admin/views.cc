#include "admin/views.h"

#include <nlohmann/json.hpp>

namespace holdfast::admin {
namespace {

using Json = nlohmann::ordered_json;

std::string list(Json items) {
  Json page;
  page["items"] = std::move(items);
  // Words of the system may hold any byte: better a wrong letter than no page.
  return page.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json endpoint_json(const EndpointStatus& endpoint) {
  Json json;
  json["address"] = endpoint.address;
  json["node"] = nullptr;  // a proxy alone knows addresses, not whose they are
  json["weight"] = endpoint.weight;
  json["state"] = health::to_string(endpoint.state);
  json["in_flight"] = endpoint.in_flight;
  json["requests"] = endpoint.requests;
  json["failures"] = endpoint.failures;
  json["why"] = endpoint.why;
  json["since"] = endpoint.since.empty() ? Json(nullptr) : Json(endpoint.since);
  json["zone"] = endpoint.zone;
  json["backup"] = endpoint.backup;
  return json;
}

}  // namespace

std::string listeners_json(const Status& status) {
  Json items = Json::array();
  for (const ListenerStatus& listener : status.listeners) {
    Json json;
    json["name"] = listener.name;
    json["protocol"] = listener.protocol;
    json["addresses"] = listener.addresses;
    json["connections"] = listener.accepted;
    json["connections_open"] = listener.open;
    json["requests"] = listener.requests;
    json["bad_requests"] = listener.bad_requests;
    json["local_answers"] = listener.local_answers;
    items.push_back(std::move(json));
  }
  return list(std::move(items));
}

std::string services_json(const Status& status) {
  Json items = Json::array();
  for (const ServiceStatus& service : status.services) {
    Json json;
    json["name"] = service.name;
    json["balance"] = service.balance;
    json["queued"] = service.queued;
    json["endpoints"] = Json::array();
    for (const EndpointStatus& endpoint : service.endpoints) json["endpoints"].push_back(endpoint_json(endpoint));
    items.push_back(std::move(json));
  }
  return list(std::move(items));
}

}  // namespace holdfast::admin

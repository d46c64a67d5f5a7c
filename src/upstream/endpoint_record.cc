#include "upstream/endpoint_record.h"

#include <nlohmann/json.hpp>
#include <set>

namespace holdfast::upstream {
namespace {

using Json = nlohmann::json;

constexpr unsigned kWeightMax = 1'000;  // as in the file

std::unexpected<Error> invalid(std::string what) { return fail(Code::invalid, Side::store, std::move(what)); }

Result<EndpointRecord> read_fields(const Json& json) {
  EndpointRecord record;
  const auto address = json.find("address");
  if (address == json.end() || !address->is_string()) return invalid("it has no \"address\": \"10.0.0.1:80\"");
  auto parsed = config::Address::parse(address->get_ref<const std::string&>());
  if (!parsed) return invalid(parsed.error());
  if (parsed->kind == config::Address::Kind::name) return invalid("its address is a name; register IP addresses");
  if (!parsed->is_unix() && parsed->port == 0) return invalid("its port is 0");
  record.endpoint.address = std::move(*parsed);
  if (const auto weight = json.find("weight"); weight != json.end()) {
    if (!weight->is_number_unsigned() || *weight < 1U || *weight > kWeightMax) {
      return invalid("its weight is not a number from 1 to " + std::to_string(kWeightMax));
    }
    record.endpoint.weight = weight->get<unsigned>();
  }
  if (const auto zone = json.find("zone"); zone != json.end()) {
    if (!zone->is_string()) return invalid("its zone is no text");
    record.endpoint.zone = zone->get<std::string>();
  }
  if (const auto backup = json.find("backup"); backup != json.end()) {
    if (!backup->is_boolean()) return invalid("its backup is neither true nor false");
    record.endpoint.backup = backup->get<bool>();
  }
  if (const auto state = json.find("state"); state != json.end()) {
    if (*state != "ready" && *state != "draining") return invalid("its state is neither ready nor draining");
    record.draining = *state == "draining";
  }
  return record;
}

}  // namespace

Result<EndpointRecord> parse_endpoint_record(std::string_view value) {
  const Json json = Json::parse(value, nullptr, false);
  if (!json.is_object()) return invalid("it is no JSON object");
  return read_fields(json);
}

std::string_view service_of(std::string_view key) {
  if (!key.starts_with(kEndpointPrefix)) return {};
  key.remove_prefix(kEndpointPrefix.size());
  const std::size_t end = key.find('/');
  return end == std::string_view::npos || end + 1 == key.size() ? std::string_view() : key.substr(0, end);
}

config::FoundEndpoints find_endpoints(const std::map<std::string, store::Record, std::less<>>& records,
                                      std::map<std::string, std::string>& wrong) {
  config::FoundEndpoints found;
  std::set<std::string> seen;
  for (const auto& [key, record] : records) {
    const std::string_view service = service_of(key);
    Result<EndpointRecord> endpoint =
        service.empty() ? invalid("its key is not endpoint/SERVICE/ID") : parse_endpoint_record(record.value);
    if (!endpoint) {
      wrong.emplace(key, std::move(endpoint.error().what));
      continue;
    }
    std::string name(service);
    if (endpoint->draining || !seen.insert(name + ' ' + to_string(endpoint->endpoint.address)).second) continue;
    found[std::move(name)].push_back(std::move(endpoint->endpoint));
  }
  return found;
}

}  // namespace holdfast::upstream

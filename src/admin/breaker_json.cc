#include "admin/breaker_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/rfc3339.h"
#include "breaker/circuit.h"

namespace holdfast::admin {
namespace {

using Json = nlohmann::ordered_json;

std::string print(const Json& json) {
  // Words of others may hold any byte: better a wrong letter than no page.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string time_of(std::int64_t wall_us) {
  std::string text;
  append_rfc3339(text, wall_us);
  return text;
}

Json override_json(const guard::OverrideView& override) {
  Json json;
  json["state"] = breaker::to_string(override.state);
  json["actor"] = override.actor;
  json["reason"] = override.reason;
  json["since"] = time_of(override.since_us);
  json["until"] = override.until_us ? Json(time_of(*override.until_us)) : Json(nullptr);
  return json;
}

void add_settings(Json& json, const breaker::Settings& settings) {
  json["failure_rate"] = settings.failure_percent / 100.0;
  json["slow_rate"] = settings.slow_percent / 100.0;
  json["slow_call_ms"] = settings.slow_call / 1ms;
  json["minimum_requests"] = settings.minimum_requests;
  json["consecutive_failures"] = settings.consecutive_failures;
  json["window_ms"] = settings.window / 1ms;
  json["open_for_ms"] = settings.open_for / 1ms;
  json["max_open_for_ms"] = settings.max_open_for / 1ms;
  json["probes"] = settings.probes;
  json["ramp_ms"] = settings.ramp / 1ms;
}

Json to_json(const guard::View& view) {
  Json json;
  json["name"] = view.name;
  json["state"] = breaker::to_string(view.state);
  json["allowed"] = view.allowed;
  json["mode"] = breaker::to_string(view.mode);
  json["override"] = view.override ? override_json(*view.override) : Json(nullptr);
  json["reason"] = view.reason;
  json["since"] = time_of(view.since_us);
  json["trips"] = view.trips;
  json["epoch"] = view.epoch;
  json["shared"] = view.shared;
  json["calls"] = view.window.calls;
  json["failures"] = view.window.failures;
  json["slow"] = view.window.slow;
  json["refused"] = view.refused;
  json["in_flight"] = view.in_flight;
  add_settings(json, view.settings);
  return json;
}

}  // namespace

std::string breaker_json(const guard::View& view) { return print(to_json(view)); }

std::string breakers_json(const std::vector<guard::View>& views) {
  Json page;
  page["items"] = Json::array();
  for (const guard::View& view : views) page["items"].push_back(to_json(view));
  return print(page);
}

std::vector<guard::View> of_caller(std::vector<guard::View> views, const std::string& caller) {
  if (caller.empty()) return views;
  const std::string prefix = breaker::circuit_name(caller, "");
  std::vector<std::string> own;  // callees
  for (const guard::View& view : views) {
    if (view.name.starts_with(prefix)) own.push_back(view.name.substr(prefix.size()));
  }
  std::erase_if(views, [&](const guard::View& view) {
    if (view.name.starts_with(prefix)) return false;
    return view.name.find("->") != std::string::npos || std::ranges::find(own, view.name) != own.end();
  });
  return views;
}

}  // namespace holdfast::admin

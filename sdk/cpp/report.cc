#include "report.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/rfc3339.h"

namespace holdfast::sdk {
namespace {

using Json = nlohmann::json;

std::string text_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// A number from 0 to `max`; otherwise as it was.
template <class Number>
void take(const Json& json, const char* name, Number& into, double max = 1e9) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_number()) return;
  const double number = found->get<double>();
  if (number >= 0 && number <= max) into = static_cast<Number>(std::llround(number));
}

void take_percent(const Json& json, const char* name, unsigned& into) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_number()) return;
  const double share = found->get<double>();
  if (share >= 0 && share <= 1) into = static_cast<unsigned>(std::lround(share * 100));
}

void take_ms(const Json& json, const char* name, Duration& into) {
  std::int64_t ms = -1;
  take(json, name, ms);
  if (ms >= 0) into = ms * Duration(1ms);
}

breaker::State state_of(const std::string& word) {
  using enum breaker::State;
  for (const breaker::State state : {open, half_open, ramp}) {
    if (word == breaker::to_string(state)) return state;
  }
  return closed;
}

breaker::Settings settings_of(const Json& json) {
  breaker::Settings settings;
  const std::string mode = text_of(json, "mode");
  if (mode == "observe") settings.mode = breaker::Mode::observe;
  if (mode == "off") settings.mode = breaker::Mode::off;
  take_percent(json, "failure_rate", settings.failure_percent);
  take_percent(json, "slow_rate", settings.slow_percent);
  take(json, "minimum_requests", settings.minimum_requests);
  take(json, "consecutive_failures", settings.consecutive_failures);
  take(json, "probes", settings.probes, 1000);
  take_ms(json, "slow_call_ms", settings.slow_call);
  take_ms(json, "window_ms", settings.window);
  take_ms(json, "open_for_ms", settings.open_for);
  take_ms(json, "max_open_for_ms", settings.max_open_for);
  take_ms(json, "ramp_ms", settings.ramp);
  // A window of nothing, or none to probe with, would never judge or never end.
  settings.window = std::max<Duration>(settings.window, 10ms);
  settings.probes = std::max(settings.probes, 1U);
  return settings;
}

Report report_of(const Json& json) {
  Report report;
  report.name = text_of(json, "name");
  report.settings = settings_of(json);
  report.state = state_of(text_of(json, "state"));
  take(json, "trips", report.trips);
  report.reason = text_of(json, "reason");
  report.since_us = parse_rfc3339(text_of(json, "since")).value_or(0);
  const auto forced = json.find("override");
  if (forced == json.end() || !forced->is_object()) return report;
  report.forced = {state_of(text_of(*forced, "state")), text_of(*forced, "actor"), text_of(*forced, "reason"),
                   parse_rfc3339(text_of(*forced, "until"))};
  return report;
}

}  // namespace

std::optional<std::vector<Report>> read_page(std::string_view body) {
  const Json page = Json::parse(body, nullptr, false);
  if (!page.is_object()) return std::nullopt;
  const auto items = page.find("items");
  if (items == page.end() || !items->is_array()) return std::nullopt;
  std::vector<Report> reports;
  for (const Json& each : *items) {
    if (each.is_object()) reports.push_back(report_of(each));
  }
  return reports;
}

}  // namespace holdfast::sdk

#include "guard/settings_record.h"

#include <nlohmann/json.hpp>
#include <string>

#include "config/units.h"

namespace holdfast::guard {
namespace {

using Json = nlohmann::json;

constexpr unsigned kCountMax = 1'000'000;
constexpr unsigned kProbesMax = 100;

std::unexpected<Error> invalid(std::string what) { return fail(Code::invalid, Side::store, std::move(what)); }

// One member after another; the first that is wrong is told.
class Members {
 public:
  explicit Members(const Json& json) : json_(json) {}

  void read_mode(std::optional<breaker::Mode>& into) {
    const Json* found = find("mode");
    if (found == nullptr) return;
    for (const breaker::Mode mode : {breaker::Mode::enforce, breaker::Mode::observe, breaker::Mode::off}) {
      if (*found == to_string(mode)) into = mode;
    }
    if (!into) wrong_ = "its mode is neither enforce nor observe nor off";
  }

  void read_percent(const char* name, std::optional<unsigned>& into) {
    const Json* found = find(name);
    if (found == nullptr) return;
    const auto share = found->is_string() ? config::parse_share(found->get_ref<const std::string&>())
                                          : std::unexpected(std::string("it is no text"));
    const bool is_fine = share && *share >= config::percent(1) && *share <= config::percent(100);
    if (is_fine) into = (share->basis_points + 50) / 100;
    if (!is_fine) wrong_ = std::string("its ") + name + " is not like \"50%\"";
  }

  void read_duration(const char* name, std::optional<Duration>& into, Duration least, Duration most) {
    const Json* found = find(name);
    if (found == nullptr) return;
    const auto duration = found->is_string() ? config::parse_duration(found->get_ref<const std::string&>())
                                             : std::unexpected(std::string("it is no text"));
    const bool is_fine = duration && *duration >= least && *duration <= most;
    if (is_fine) into = *duration;
    if (!is_fine) {
      wrong_ = std::string("its ") + name + " is not like \"5s\", from " + config::write_duration(least) + " to " +
               config::write_duration(most);
    }
  }

  void read_count(const char* name, std::optional<unsigned>& into, unsigned least, unsigned most) {
    const Json* found = find(name);
    if (found == nullptr) return;
    const bool is_fine = found->is_number_unsigned() && *found >= least && *found <= most;
    if (is_fine) into = found->get<unsigned>();
    if (!is_fine) {
      wrong_ =
          std::string("its ") + name + " is not a number from " + std::to_string(least) + " to " + std::to_string(most);
    }
  }

  void read_bool(const char* name, std::optional<bool>& into) {
    const Json* found = find(name);
    if (found == nullptr) return;
    if (found->is_boolean()) into = found->get<bool>();
    if (!found->is_boolean()) wrong_ = std::string("its ") + name + " is neither true nor false";
  }

  const std::string& wrong() const { return wrong_; }

 private:
  const Json* find(const char* name) const {
    const auto found = json_.find(name);
    return found == json_.end() || !wrong_.empty() ? nullptr : &*found;
  }

  const Json& json_;
  std::string wrong_;
};

template <class T>
void replace(T& value, const std::optional<T>& change) {
  if (change) value = *change;
}

}  // namespace

Result<SettingsChange> parse_settings(std::string_view value) {
  const Json json = Json::parse(value, nullptr, false);
  if (!json.is_object()) return invalid("it is no JSON object");
  SettingsChange change;
  Members members(json);
  members.read_mode(change.mode);
  members.read_percent("failure_rate", change.failure_percent);
  members.read_percent("slow_rate", change.slow_percent);
  members.read_duration("slow_call", change.slow_call, 1ms, 1h);
  members.read_count("minimum_requests", change.minimum_requests, 1, kCountMax);
  members.read_count("consecutive_failures", change.consecutive_failures, 0, kCountMax);
  members.read_duration("window", change.window, 1s, 1h);
  members.read_duration("open_for", change.open_for, 10ms, 1h);
  members.read_duration("max_open_for", change.max_open_for, 10ms, 24h);
  members.read_count("probes", change.probes, 1, kProbesMax);
  members.read_duration("ramp", change.ramp, 0s, 1h);
  members.read_bool("shared", change.shared);
  if (!members.wrong().empty()) return invalid(members.wrong());
  return change;
}

breaker::Settings apply(const SettingsChange& change, const breaker::Settings& file) {
  breaker::Settings settings = file;
  replace(settings.mode, change.mode);
  replace(settings.failure_percent, change.failure_percent);
  replace(settings.slow_percent, change.slow_percent);
  replace(settings.slow_call, change.slow_call);
  replace(settings.minimum_requests, change.minimum_requests);
  replace(settings.consecutive_failures, change.consecutive_failures);
  replace(settings.window, change.window);
  replace(settings.open_for, change.open_for);
  replace(settings.max_open_for, change.max_open_for);
  replace(settings.probes, change.probes);
  replace(settings.ramp, change.ramp);
  replace(settings.shared, change.shared);
  return settings;
}

}  // namespace holdfast::guard

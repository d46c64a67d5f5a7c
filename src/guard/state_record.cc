#include "guard/state_record.h"

#include <algorithm>
#include <array>
#include <vector>

#include "guard/json_members.h"

namespace holdfast::guard {
namespace {

using breaker::State;

/// What happened longer ago than this happened at this time.
constexpr Duration kLongAgo = 1h;
constexpr std::uint64_t kOpenForMax_ms = 24UL * 3600 * 1000;
constexpr std::uint64_t kDownMax_ms = 10UL * 365 * kOpenForMax_ms;  // no outage is longer

std::int64_t to_ms(std::int64_t us) { return us / 1000; }

std::int64_t wall_of(Instant instant, Clocks clocks) {
  return clocks.wall_us - std::chrono::duration_cast<std::chrono::microseconds>(clocks.now - instant).count();
}

/// How long ago something was, by the wall; not in the future, and not longer than `most`.
Duration age_of(std::int64_t wall_us, Clocks clocks, Duration most) {
  const std::int64_t most_us = std::chrono::duration_cast<std::chrono::microseconds>(most).count();
  return std::chrono::microseconds(std::clamp<std::int64_t>(clocks.wall_us - wall_us, 0, most_us));
}

}  // namespace

std::string write_state(const breaker::Standing& standing, const std::string& by, const std::string& id,
                        Clocks clocks) {
  nlohmann::ordered_json flaps = nlohmann::ordered_json::array();
  for (const Instant each : standing.flaps) {
    if (each != Instant{}) flaps.push_back(to_ms(wall_of(each, clocks)));
  }
  const nlohmann::ordered_json json{
      {"state", to_string(standing.state)},
      {"epoch", standing.epoch},
      {"since", to_ms(wall_of(standing.since, clocks))},
      {"open_for_ms", std::chrono::ceil<std::chrono::milliseconds>(standing.open_for).count()},
      {"down_ms", std::chrono::floor<std::chrono::milliseconds>(standing.down).count()},
      {"trips", standing.trips},
      {"total", standing.total},
      {"flaps", std::move(flaps)},
      {"reason", standing.reason},
      {"by", by},
      {"id", id}};
  return write_json(json);
}

Result<StateRecord> parse_state(std::string_view value) {
  JsonMembers members(value);
  StateRecord record;
  std::string state;
  std::uint64_t since_ms = 0;
  std::uint64_t open_for_ms = 0;
  std::uint64_t down_ms = 0;
  std::uint64_t trips = 0;
  members.read("state", state);
  members.read("epoch", record.standing.epoch);
  members.read("since", since_ms);
  members.read("open_for_ms", open_for_ms);
  members.read("down_ms", down_ms);
  members.read("trips", trips);
  members.read("total", record.standing.total);
  members.read("flaps", record.flaps_us);
  members.read("reason", record.standing.reason);
  members.read("by", record.by);
  members.read("id", record.id);
  bool is_known = false;
  for (const State each : {State::closed, State::open, State::half_open, State::ramp}) {
    if (state != to_string(each)) continue;
    record.standing.state = each;
    is_known = true;
  }
  if (!is_known) members.refuse("state", "neither closed nor open nor half_open nor ramp");
  if (record.standing.epoch == 0) members.refuse("epoch", "0");
  if (open_for_ms > kOpenForMax_ms) members.refuse("open_for_ms", "more than a day");
  if (since_ms > INT64_MAX / 1000) members.refuse("since", "no time");
  if (!members.wrong().empty()) return fail(Code::invalid, Side::store, members.wrong());
  record.standing.open_for = std::chrono::milliseconds(open_for_ms);
  record.standing.down = std::chrono::milliseconds(std::min(down_ms, kDownMax_ms));
  record.standing.trips = static_cast<unsigned>(std::min<std::uint64_t>(trips, 1'000'000));
  record.since_us = static_cast<std::int64_t>(since_ms) * 1000;
  if (record.flaps_us.size() > breaker::kFlapsMax) record.flaps_us.resize(breaker::kFlapsMax);
  for (std::int64_t& each : record.flaps_us) each = std::clamp<std::int64_t>(each, 0, INT64_MAX / 1000) * 1000;
  return record;
}

breaker::Standing to_standing(const StateRecord& record, Clocks clocks, bool is_live) {
  breaker::Standing standing = record.standing;
  const Duration most = standing.state == State::open ? standing.open_for : kLongAgo;
  standing.since = clocks.now - (is_live ? Duration(0) : age_of(record.since_us, clocks, most));
  for (std::size_t i = 0; i < record.flaps_us.size(); ++i) {
    standing.flaps[i] = clocks.now - age_of(record.flaps_us[i], clocks, kLongAgo);
  }
  return standing;
}

}  // namespace holdfast::guard

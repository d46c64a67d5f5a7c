#include "guard/records.h"

#include <array>

#include "guard/json_members.h"

namespace holdfast::guard {
namespace {

using breaker::Opinion;
using breaker::State;

constexpr std::size_t kWhyMax = 200;  // there may be many votes

std::unexpected<Error> invalid(std::string what) { return fail(Code::invalid, Side::store, std::move(what)); }

std::string write_time(std::int64_t wall_us) {
  std::string text;
  append_rfc3339(text, wall_us);
  return text;
}

}  // namespace

std::string write_override(const OverrideView& override, const std::string& id) {
  nlohmann::ordered_json json{{"state", to_string(override.state)},
                              {"actor", override.actor},
                              {"reason", override.reason},
                              {"since", write_time(override.since_us)}};
  if (override.until_us) json["until"] = write_time(*override.until_us);
  json["id"] = id;
  return write_json(json);
}

Result<OverrideView> parse_override(std::string_view value) {
  JsonMembers members(value);
  OverrideView override;
  std::string state;
  std::optional<std::int64_t> since;
  members.read("state", state);
  members.read("actor", override.actor);
  members.read("reason", override.reason);
  members.read_time("since", since);
  members.read_time("until", override.until_us);
  if (state != "open" && state != "closed") members.refuse("state", "neither open nor closed");
  if (!members.wrong().empty()) return invalid(members.wrong());
  override.state = state == "open" ? State::open : State::closed;
  override.since_us = since.value_or(0);
  return override;
}

std::string write_vote(const breaker::Vote& vote) {
  const nlohmann::ordered_json json{{"opinion", to_string(vote.opinion)},
                                    {"calls", vote.calls},
                                    {"failures", vote.failures},
                                    {"slow", vote.slow},
                                    {"self_suspect", vote.self_suspect},
                                    {"epoch", vote.epoch},
                                    {"zone", vote.zone},
                                    {"why", vote.why.substr(0, kWhyMax)}};
  return write_json(json);
}

Result<breaker::Vote> parse_vote(std::string_view value, std::string_view node) {
  JsonMembers members(value);
  breaker::Vote vote;
  vote.node = node;
  std::string opinion(to_string(Opinion::none));
  members.read("opinion", opinion);
  members.read("calls", vote.calls);
  members.read("failures", vote.failures);
  members.read("slow", vote.slow);
  members.read("self_suspect", vote.self_suspect);
  members.read("epoch", vote.epoch);
  members.read("zone", vote.zone);
  members.read("why", vote.why);
  bool is_known = false;
  for (const Opinion each : {Opinion::good, Opinion::bad, Opinion::none}) {
    if (opinion != to_string(each)) continue;
    vote.opinion = each;
    is_known = true;
  }
  if (!is_known) members.refuse("opinion", "neither good nor bad nor none");
  if (!members.wrong().empty()) return invalid(members.wrong());
  return vote;
}

std::string write_voter(const std::string& zone) { return write_json({{"zone", zone}}); }

std::string write_probe(const ProbeRecord& probe) { return write_json({{"node", probe.node}, {"epoch", probe.epoch}}); }

Result<ProbeRecord> parse_probe(std::string_view value) {
  JsonMembers members(value);
  ProbeRecord probe;
  members.read("node", probe.node);
  members.read("epoch", probe.epoch);
  if (!members.wrong().empty()) return invalid(members.wrong());
  return probe;
}

}  // namespace holdfast::guard

// The record breaker/state/NAME: where the breaker that all share stands.
//
//   {"state":"open","epoch":7,"since":1795464000000,"open_for_ms":2104,"down_ms":0,"trips":1,"total":3,
//    "flaps":[1795464000000],"reason":"3 of 5 proxies: 20 of 20 calls failed","by":"a","id":"9f3e1a07c2d45b68"}
//
// Times there are wall clocks, which may differ between machines and be put back. So they are believed as little as
// possible: who sees a step as it happens counts from now by its own clock; who comes later counts what the wall says
// has passed, but never more than the whole, and never less than nothing. Format: docs/formats/store.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "breaker/standing.h"

namespace holdfast::guard {

struct StateRecord {
  breaker::Standing standing{};  ///< without its instants
  std::int64_t since_us = 0;     ///< wall clock
  std::vector<std::int64_t> flaps_us{};
  std::string by{};  ///< the node that decided
  std::string id{};  ///< nobody else's: by it a node knows its own write again

  bool operator==(const StateRecord&) const = default;
};

/// Now, by both clocks.
struct Clocks {
  Instant now{};
  std::int64_t wall_us = 0;
};

std::string write_state(const breaker::Standing& standing, const std::string& by, const std::string& id, Clocks clocks);
/// Errors: Code::invalid: no JSON object, or a member that cannot be; the words say which.
Result<StateRecord> parse_state(std::string_view value);

/// By our clock. `is_live`: it has only just happened.
breaker::Standing to_standing(const StateRecord& record, Clocks clocks, bool is_live);

}  // namespace holdfast::guard

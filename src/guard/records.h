// The records under breaker/ as JSON, each with an example:
//
//   breaker/override/NAME    {"state":"open","actor":"mara","reason":"INC-7","since":"…Z","until":"…Z","id":"…"}
//   breaker/vote/NAME/NODE   {"opinion":"bad","calls":120,"failures":80,"slow":0,"self_suspect":false,"epoch":4,
//                             "zone":"z1","why":"80 of 120 calls failed"}
//   breaker/voter/NODE       {"zone":"z1"}
//   breaker/probe/NAME       {"node":"a","epoch":5}
//
// breaker/settings/NAME is guard/settings_record.h, breaker/state/NAME guard/state_record.h. Whatever is missing has
// its default, what is not known is for later versions. Format: docs/formats/store.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "breaker/vote.h"
#include "guard/view.h"

namespace holdfast::guard {

// Errors of all: Code::invalid: no JSON object, or a member that cannot be; the words say which.

/// `id` is nobody else's: by it a node knows its own write again.
std::string write_override(const OverrideView& override, const std::string& id);
Result<OverrideView> parse_override(std::string_view value);

/// Its node is in the key.
std::string write_vote(const breaker::Vote& vote);
Result<breaker::Vote> parse_vote(std::string_view value, std::string_view node);

std::string write_voter(const std::string& zone);

struct ProbeRecord {
  std::string node{};
  std::uint64_t epoch = 0;

  bool operator==(const ProbeRecord&) const = default;
};
std::string write_probe(const ProbeRecord& probe);
Result<ProbeRecord> parse_probe(std::string_view value);

}  // namespace holdfast::guard

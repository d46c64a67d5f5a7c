// Silence: whether an endpoint has stopped answering at all, as seen by a request that waits for it. A stopped process,
// or a machine that lost its network, still accepts connections in its kernel; a time-out long enough for slow answers
// is far too long for that.
//
// The sign is not how long this request takes, but that several have asked since the endpoint last answered anybody,
// while requests that were asked later, elsewhere, have their answers. An endpoint that is busy with one slow request
// answers others.
#pragma once

#include <cstdint>

#include "base/time.h"

namespace holdfast::health {

struct Silence {
  Instant asked;             ///< when the request was sent to the endpoint
  Instant heard;             ///< when the endpoint last answered anybody
  std::uint32_t unanswered;  ///< requests sent to it since then
  /// Of the service's requests that have an answer, from any endpoint: when the last was asked.
  Instant newest_answered;
};

/// How long silence is usual: many times what an answer takes, but long enough that a pause of the endpoint's process
/// (garbage collection, a page from disk) is none.
Duration patience(Duration usual);

bool is_silent(const Silence& silence, Duration patience, Instant now);

}  // namespace holdfast::health

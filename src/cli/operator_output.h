// What operator commands print for people. Words of others are shown without control characters: a terminal obeys them.
#pragma once

#include <string>

#include "cli/admin_client.h"

namespace holdfast::cli {

/// NAME STATE SCOPE ALLOWED MODE TRIPS SINCE REASON, a breaker a line. `page` is that of /v1/breakers.
std::string breaker_table(const Json& page, bool colours);
/// "feed->profile is open: forced by anna@ops1: disk full, until 2026-11-23T20:10:00.000Z".
std::string breaker_line(const Json& breaker);
/// "2026-11-23T20:00:00.000Z breaker feed->profile opened: 20 of 20 calls failed (node a)".
std::string event_words(const Json& event);

}  // namespace holdfast::cli

// Wall time as people and programs read it: RFC 3339, UTC, to the millisecond.
#pragma once

#include <cstdint>
#include <string>

namespace holdfast {

/// Appends "2026-02-28T13:45:09.120Z". Units: microseconds since 1970.
void append_rfc3339(std::string& out, std::int64_t wall_us);

}  // namespace holdfast

// Wall time as people and programs read it: RFC 3339, UTC, to the millisecond.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast {

/// Appends "2026-02-28T13:45:09.120Z". Units: microseconds since 1970.
void append_rfc3339(std::string& out, std::int64_t wall_us);

/// Reads what append_rfc3339() writes, with any number of digits after the second or none, and Z or an offset
/// ("+02:00"). Returns none for anything else. Units: microseconds since 1970.
std::optional<std::int64_t> parse_rfc3339(std::string_view text);

/// Writes the same for many times that lie near each other: it remembers the last second, and only another one costs
/// the calendar.
class Rfc3339Writer {
 public:
  static constexpr std::size_t kBytes = 24;

  /// Writes kBytes; returns where they end.
  char* write(char* to, std::int64_t wall_us);

 private:
  std::uint64_t enter_second(std::int64_t wall_us);

  std::int64_t second_us_ = 0;  ///< when the second of text_ began
  std::string text_ = "1970-01-01T00:00:00.000Z";
};

}  // namespace holdfast

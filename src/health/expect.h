// expect: which statuses pass a health check, as the configuration writes them: `200-399`, `200,204,300-308`.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace holdfast::health {

/// From and to are both included.
struct StatusRange {
  std::uint16_t from = 200;
  std::uint16_t to = 399;

  bool contains(unsigned status) const { return status >= from && status <= to; }
  bool operator==(const StatusRange&) const = default;
};

/// Whether a status lies in any of the ranges (of this type or another with contains()).
template <class Ranges>
bool is_expected(const Ranges& ranges, unsigned status) {
  for (const auto& range : ranges) {
    if (range.contains(status)) return true;
  }
  return false;
}

/// Errors: Code::invalid, naming the part and what was expected. Statuses are 100 to 599, at least one range.
Result<std::vector<StatusRange>> parse_expect(std::string_view text);

}  // namespace holdfast::health

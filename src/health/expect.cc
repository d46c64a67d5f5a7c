#include "health/expect.h"

#include <optional>
#include <string>

#include "base/text.h"

namespace holdfast::health {
namespace {

constexpr std::uint16_t kStatusMin = 100;
constexpr std::uint16_t kStatusMax = 599;

std::optional<StatusRange> parse_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  const std::string_view low = trim(text.substr(0, dash));
  const std::string_view high = dash == std::string_view::npos ? low : trim(text.substr(dash + 1));
  const std::optional<std::uint16_t> from = parse_number<std::uint16_t>(low);
  const std::optional<std::uint16_t> to = parse_number<std::uint16_t>(high);
  if (!from || !to || *from < kStatusMin || *to > kStatusMax || *from > *to) return std::nullopt;
  return StatusRange{*from, *to};
}

}  // namespace

Result<std::vector<StatusRange>> parse_expect(std::string_view text) {
  std::vector<StatusRange> ranges;
  for (const std::string_view part : split(text, ',')) {
    const std::optional<StatusRange> range = parse_range(trim(part));
    if (!range) {
      return fail(Code::invalid, Side::local,
                  "\"" + std::string(trim(part)) + "\" is not a status (100-599) or a range such as 200-399");
    }
    ranges.push_back(*range);
  }
  return ranges;
}

}  // namespace holdfast::health

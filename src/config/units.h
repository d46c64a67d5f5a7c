// Quantities as the file writes them: 250ms, 5s, 10m, 1h; 512, 16KiB, 1MiB; 50%, 12.5%. Each reads back what it
// writes. A bare number where a unit is needed is an error, and the error shows how to write it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/time.h"

namespace holdfast::config {

inline constexpr std::size_t kKiB = 1024;
inline constexpr std::size_t kMiB = 1024 * kKiB;
inline constexpr std::size_t kGiB = 1024 * kMiB;
inline constexpr std::size_t kTiB = 1024 * kGiB;

/// A share of a whole, exact to a hundredth of a percent; more than the whole is possible (bounded: 125%).
struct Share {
  std::uint32_t basis_points = 0;  ///< hundredths of a percent: 10000 is the whole

  constexpr double fraction() const { return basis_points / 10000.0; }
  constexpr auto operator<=>(const Share&) const = default;
};

constexpr Share percent(std::uint32_t number) { return Share{number * 100}; }

/// Errors (all three): words that say what is wrong and show how to write it.
std::expected<Duration, std::string> parse_duration(std::string_view text);
std::expected<std::size_t, std::string> parse_bytes(std::string_view text);
std::expected<Share, std::string> parse_share(std::string_view text);

/// The shortest exact form: "90s", "2m", "64KiB", "12.5%".
std::string write_duration(Duration duration);
std::string write_bytes(std::size_t bytes);
std::string to_string(Share share);

}  // namespace holdfast::config

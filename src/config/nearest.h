// The known word nearest to a misspelt one, for "did you mean".
// Source: Damerau 1964 (a swap of neighbours is one slip), restricted edit distance.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace holdfast::config {

/// Slips between two words: insert, drop, replace, or swap two neighbours.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The first of the nearest words; none if even that is too far off to be meant.
std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> known);

}  // namespace holdfast::config

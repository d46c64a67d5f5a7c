#include "config/nearest.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/text.h"

namespace holdfast::config {
namespace {

constexpr std::size_t kLongestWord = 64;  ///< what is longer was not meant as a key: the distance costs its square

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Three rows of the table: the one being filled, the one above, and the one above that for swaps.
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t k = 0; k <= b.size(); ++k) row[k] = k;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(before, above);
    std::swap(above, row);
    row[0] = i;
    for (std::size_t k = 1; k <= b.size(); ++k) {
      const std::size_t replace = above[k - 1] + (a[i - 1] == b[k - 1] ? 0 : 1);
      row[k] = std::min({replace, above[k] + 1, row[k - 1] + 1});
      if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1]) row[k] = std::min(row[k], before[k - 2] + 1);
    }
  }
  return row[b.size()];
}

std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> known) {
  if (word.size() > kLongestWord) return std::nullopt;
  std::string plain;
  for (const char c : word) plain += c == '-' ? '_' : to_lower(c);
  std::optional<std::string_view> best;
  std::size_t best_slips = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : known) {
    if (candidate.size() > kLongestWord) continue;
    const std::size_t slips = std::min(edit_distance(word, candidate), edit_distance(plain, candidate));
    if (slips >= best_slips) continue;
    best = candidate;
    best_slips = slips;
  }
  return best;
}

}  // namespace holdfast::config

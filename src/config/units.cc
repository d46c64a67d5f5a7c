#include "config/units.h"

#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace holdfast::config {
namespace {

struct Split {
  std::string_view digits;
  std::string_view unit;
};

Split split_unit(std::string_view text) {
  const std::size_t end = text.find_first_not_of("0123456789");
  if (end == std::string_view::npos) return {text, {}};
  return {text.substr(0, end), text.substr(end)};
}

std::string quote(std::string_view text) { return '"' + std::string(text) + '"'; }

/// `number` of `unit`s, if the product fits.
template <class Number>
std::optional<Number> times(std::uint64_t number, std::uint64_t unit) {
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<Number>::max());
  if (number > kMost / unit) return std::nullopt;
  return static_cast<Number>(number * unit);
}

constexpr std::array<std::pair<std::string_view, Duration>, 4> kTimeUnits{
    {{"ms", 1ms}, {"s", 1s}, {"m", 1min}, {"h", 1h}}};
constexpr std::array<std::pair<std::string_view, std::size_t>, 5> kByteUnits{
    {{"", 1}, {"KiB", kKiB}, {"MiB", kMiB}, {"GiB", kGiB}, {"TiB", kTiB}}};

}  // namespace

std::expected<Duration, std::string> parse_duration(std::string_view text) {
  const auto [digits, unit] = split_unit(text);
  if (!digits.empty() && unit.empty()) {
    return std::unexpected(quote(text) + " needs a unit; write " + std::string(text) + "s or " + std::string(text) +
                           "ms (units: ms, s, m, h)");
  }
  const std::optional<std::uint64_t> number = parse_number<std::uint64_t>(digits);
  for (const auto& [word, length] : kTimeUnits) {
    if (unit != word || digits.empty()) continue;
    const auto product =
        number ? times<std::int64_t>(*number, static_cast<std::uint64_t>(length.count())) : std::nullopt;
    if (!product) return std::unexpected(quote(text) + " is too long a time");
    return Duration(*product);
  }
  return std::unexpected(quote(text) + " is not a duration; write a whole number and one unit: 250ms, 5s, 10m or 1h");
}

std::expected<std::size_t, std::string> parse_bytes(std::string_view text) {
  const auto [digits, unit] = split_unit(text);
  const std::optional<std::uint64_t> number = parse_number<std::uint64_t>(digits);
  for (const auto& [word, size] : kByteUnits) {
    if (unit != word || digits.empty()) continue;
    const auto product = number ? times<std::size_t>(*number, size) : std::nullopt;
    if (!product) return std::unexpected(quote(text) + " is too large a size");
    return *product;
  }
  return std::unexpected(quote(text) + " is not a size; write bytes as 512, or with a unit: 16KiB, 1MiB, 2GiB");
}

std::expected<Share, std::string> parse_share(std::string_view text) {
  const auto wrong = [&] { return std::unexpected(quote(text) + " is not a share; write a percentage: 50% or 12.5%"); };
  if (!text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos) {
    return std::unexpected(quote(text) + " needs a unit; write a share as a percentage: 50%");
  }
  if (!text.ends_with('%')) return wrong();
  text.remove_suffix(1);
  const std::size_t dot = text.find('.');
  const std::optional<std::uint32_t> whole = parse_number<std::uint32_t>(text.substr(0, dot));
  if (!whole || *whole > 1'000'000) return wrong();
  std::uint32_t hundredths = 0;
  if (dot != std::string_view::npos) {
    const std::string_view digits = text.substr(dot + 1);
    const std::optional<std::uint32_t> fraction = parse_number<std::uint32_t>(digits);
    if (!fraction || digits.size() > 2) return wrong();
    hundredths = digits.size() == 1 ? *fraction * 10 : *fraction;
  }
  return Share{*whole * 100 + hundredths};
}

std::string write_duration(Duration duration) {
  const auto whole = [&](Duration unit) { return duration % unit == Duration::zero(); };
  const auto in = [&](Duration unit) { return std::to_string(duration / unit); };
  check(whole(1ms), "a duration of the file is whole milliseconds");
  if (duration >= 1h && whole(1h)) return in(1h) + "h";
  if (duration >= 2min && whole(1min)) return in(1min) + "m";  // people say 60s, 90s, 2m
  return whole(1s) ? in(1s) + "s" : in(1ms) + "ms";
}

std::string write_bytes(std::size_t bytes) {
  for (std::size_t i = kByteUnits.size(); i-- > 1;) {
    const auto& [word, size] = kByteUnits[i];
    if (bytes >= size && bytes % size == 0) return std::to_string(bytes / size) + std::string(word);
  }
  return std::to_string(bytes);
}

std::string to_string(Share share) {
  std::string text = std::to_string(share.basis_points / 100);
  if (const std::uint32_t rest = share.basis_points % 100; rest != 0) {
    text += '.';
    text += static_cast<char>('0' + rest / 10);
    if (rest % 10 != 0) text += static_cast<char>('0' + rest % 10);
  }
  return text + '%';
}

}  // namespace holdfast::config

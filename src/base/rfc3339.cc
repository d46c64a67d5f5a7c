#include "base/rfc3339.h"

#include <chrono>
#include <cstring>

#include "base/digits.h"
#include "base/time.h"

namespace holdfast {
namespace {

void append(std::string& out, unsigned number, int digits) {
  const std::size_t at = out.size();
  out.resize(at + static_cast<std::size_t>(digits));
  for (std::size_t i = out.size(); i > at; number /= 10) out[--i] = static_cast<char>('0' + number % 10);
}

// Takes `digits` digits from the front of `text`; none if there are not so many.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int number = 0;
  for (const char each : text.substr(0, digits)) {
    if (each < '0' || each > '9') return std::nullopt;
    number = number * 10 + (each - '0');
  }
  text.remove_prefix(digits);
  return number;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::chrono::sys_days> take_day(std::string_view& text) {
  const auto year = take_number(text, 4);
  if (!year || !take(text, "-")) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take(text, "-")) return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

std::optional<std::chrono::minutes> take_hours_and_minutes(std::string_view& text) {
  const auto hours = take_number(text, 2);
  if (!hours || *hours > 23 || !take(text, ":")) return std::nullopt;
  const auto minutes = take_number(text, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  return std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
}

// ".120" is 120000; what is finer than a microsecond is left out.
std::optional<std::chrono::microseconds> take_fraction(std::string_view& text) {
  if (!take(text, ".")) return 0us;
  std::int64_t microseconds = 0;
  std::int64_t unit = 100'000;
  std::size_t digits = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1), ++digits) {
    microseconds += (text.front() - '0') * unit;
    unit /= 10;
  }
  if (digits == 0) return std::nullopt;
  return std::chrono::microseconds(microseconds);
}

std::optional<std::chrono::minutes> take_offset(std::string_view& text) {
  if (take(text, "Zz")) return 0min;
  const bool behind = text.starts_with('-');
  if (!take(text, "+-")) return std::nullopt;
  const auto offset = take_hours_and_minutes(text);
  if (!offset) return std::nullopt;
  return behind ? -*offset : *offset;
}

}  // namespace

std::optional<std::int64_t> parse_rfc3339(std::string_view text) {
  const auto day = take_day(text);
  if (!day || !take(text, "Tt ")) return std::nullopt;
  const auto minutes = take_hours_and_minutes(text);
  if (!minutes || !take(text, ":")) return std::nullopt;
  const auto seconds = take_number(text, 2);
  if (!seconds || *seconds > 59) return std::nullopt;
  const auto fraction = take_fraction(text);
  if (!fraction) return std::nullopt;
  const auto offset = take_offset(text);
  if (!offset || !text.empty()) return std::nullopt;
  const auto since_1970 = day->time_since_epoch() + *minutes + std::chrono::seconds(*seconds) + *fraction - *offset;
  return std::chrono::duration_cast<std::chrono::microseconds>(since_1970).count();
}

void append_rfc3339(std::string& out, std::int64_t wall_us) {
  const std::chrono::sys_time<std::chrono::microseconds> time(std::chrono::microseconds{wall_us});
  const auto midnight = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day day(midnight);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::milliseconds>(time - midnight));
  append(out, static_cast<unsigned>(static_cast<int>(day.year())), 4);
  out.push_back('-');
  append(out, static_cast<unsigned>(day.month()), 2);
  out.push_back('-');
  append(out, static_cast<unsigned>(day.day()), 2);
  out.push_back('T');
  append(out, static_cast<unsigned>(clock.hours().count()), 2);
  out.push_back(':');
  append(out, static_cast<unsigned>(clock.minutes().count()), 2);
  out.push_back(':');
  append(out, static_cast<unsigned>(clock.seconds().count()), 2);
  out.push_back('.');
  append(out, static_cast<unsigned>(clock.subseconds().count()), 3);
  out.push_back('Z');
}

char* Rfc3339Writer::write(char* to, std::int64_t wall_us) {
  constexpr std::uint64_t kSecond = 1'000'000;
  // Without sign, what lies before the second is far behind it.
  std::uint64_t into_second = static_cast<std::uint64_t>(wall_us) - static_cast<std::uint64_t>(second_us_);
  if (into_second >= kSecond) into_second = enter_second(wall_us);
  std::memcpy(to, text_.data(), kBytes);
  const std::uint64_t milliseconds = into_second / 1000;
  to[20] = static_cast<char>('0' + milliseconds / 100);
  write_two_digits(to + 21, milliseconds % 100);
  return to + kBytes;
}

std::uint64_t Rfc3339Writer::enter_second(std::int64_t wall_us) {
  const std::chrono::microseconds time(wall_us);
  const std::chrono::microseconds second = std::chrono::floor<std::chrono::seconds>(time);
  text_.clear();
  append_rfc3339(text_, wall_us);
  second_us_ = second.count();
  return static_cast<std::uint64_t>((time - second).count());
}

}  // namespace holdfast

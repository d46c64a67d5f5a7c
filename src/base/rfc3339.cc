#include "base/rfc3339.h"

#include <chrono>
#include <cstring>

#include "base/digits.h"

namespace holdfast {
namespace {

void append(std::string& out, unsigned number, int digits) {
  const std::size_t at = out.size();
  out.resize(at + static_cast<std::size_t>(digits));
  for (std::size_t i = out.size(); i > at; number /= 10) out[--i] = static_cast<char>('0' + number % 10);
}

}  // namespace

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

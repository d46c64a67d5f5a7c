#include "base/rfc3339.h"

#include <chrono>

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

}  // namespace holdfast

#include "base/rfc3339.h"

#include <ctime>

namespace holdfast {

void append_rfc3339(std::string& out, std::int64_t wall_us) {
  const auto seconds = static_cast<std::time_t>(wall_us / 1'000'000);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  char text[32];
  const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  const auto ms = static_cast<unsigned>(wall_us / 1000 % 1000);
  const char tail[] = {'.', static_cast<char>('0' + ms / 100), static_cast<char>('0' + ms / 10 % 10),
                       static_cast<char>('0' + ms % 10), 'Z'};
  out.append(text, size).append(tail, sizeof tail);
}

}  // namespace holdfast

#include "io/file_limit.h"

#include <limits>
#include <sys/resource.h>

namespace holdfast::io {

unsigned raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
  constexpr rlim_t kMost = std::numeric_limits<int>::max();
  return static_cast<unsigned>(std::min(limit.rlim_cur, kMost));
}

}  // namespace holdfast::io

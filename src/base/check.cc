#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace holdfast {

void check_failed(const char* words, std::source_location where) {
  std::fprintf(stderr, "holdfast: broken invariant: %s (%s:%u, %s)\n", words, where.file_name(), where.line(),
               where.function_name());
  std::abort();
}

}  // namespace holdfast

// check(): what must hold, in release builds too. A broken invariant is a bug of ours: we say what and where, and
// abort. What the world can do to us (a closed socket, a bad file) is a Result instead: see result.h.
#pragma once

#include <source_location>

namespace holdfast {

/// Prints `words` and the place to stderr and aborts.
[[noreturn]] void check_failed(const char* words, std::source_location where);

/// Aborts unless `condition` holds. One condition per call; `words` name the invariant.
inline void check(bool condition, const char* words, std::source_location where = std::source_location::current()) {
  if (!condition) [[unlikely]]
    check_failed(words, where);
}

}  // namespace holdfast

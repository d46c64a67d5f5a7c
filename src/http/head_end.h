// Says when it pays to parse a head that arrives in pieces, so that a slow sender cannot make us parse it once per
// byte.
#pragma once

#include <cstddef>
#include <string_view>

namespace holdfast::http {

/// Looks at each byte once. Parsing whenever it says so costs at most twice the bytes of the head, plus the last pass.
class HeadEndScanner {
 public:
  /// True when parsing `bytes` may tell something new: they are the first, the empty line or a bare LF is among the new
  /// ones, or there are twice as many as when it last said so.
  /// A buffer that is full is worth a pass too; the caller knows that.
  /// Requires: `bytes` is all that came of this head, a continuation of the last call's.
  bool should_parse(std::string_view bytes);

  /// Before the next head.
  void reset() { *this = HeadEndScanner{}; }

 private:
  std::size_t scanned_ = 0;
  std::size_t parsed_ = 0;
};

}  // namespace holdfast::http

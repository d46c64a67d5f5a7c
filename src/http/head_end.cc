#include "http/head_end.h"

#include <cstring>

namespace holdfast::http {

bool HeadEndScanner::should_parse(std::string_view bytes) {
  bool worth = !bytes.empty() && bytes.size() >= 2 * parsed_;
  while (scanned_ < bytes.size() && !worth) {
    const void* const found = std::memchr(bytes.data() + scanned_, '\n', bytes.size() - scanned_);
    if (found == nullptr) {
      scanned_ = bytes.size();
      break;
    }
    const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    scanned_ = at + 1;
    const bool bare = at == 0 || bytes[at - 1] != '\r';
    worth = bare || (at >= 2 && bytes[at - 2] == '\n');
  }
  if (worth) {
    // Everything so far is going to be parsed; only what comes after it is new.
    scanned_ = bytes.size();
    parsed_ = bytes.size();
  }
  return worth;
}

}  // namespace holdfast::http

// Lines of JSON (RFC 8259) made of packed records, in memory of a fixed size: one question for room per record instead
// of one per byte. What JSON does not take as it is (and what is not ASCII, see write_text) is found sixteen bytes at a
// time.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "base/pinned.h"
#include "base/rfc3339.h"
#include "proxy/access_log_record.h"

namespace holdfast::proxy {

class AccessLines : Pinned {
 public:
  /// Of the longest line: every byte of every text as \u00xx, and less than 1 KiB around them.
  static constexpr std::size_t kLineBytesMax = kAccessTexts.size() * AccessRecord::kTextBytesMax * 6 + 1024;
  /// What is written at once: enough that a write's own cost does not count, little enough to stay in a cache.
  static constexpr std::size_t kBytes = (std::size_t{256} << 10) + kLineBytesMax;

  AccessLines() : bytes_(std::make_unique_for_overwrite<char[]>(kBytes)) {}

  bool has_room() const { return kBytes - size_ >= kLineBytesMax; }
  /// Adds the line of the record that lies at `packed`. Requires: has_room().
  void add(const char* packed);

  std::string_view text() const { return {bytes_.get(), size_}; }
  void clear() { size_ = 0; }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  Rfc3339Writer time_;
};

}  // namespace holdfast::proxy

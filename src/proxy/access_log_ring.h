// The ring of the access log: one loop pushes records, the log's thread drains them into lines. No lock, no allocation,
// no waiting: a record that finds no room is dropped and counted.
// Records never wrap: what does not fit before the ring's end goes to its start, and what is left before the end is
// lost for that round (less than a record). Places are counted on for ever (Lamport 1977, "Proving the correctness of
// multiprocess programs"); their lower bits say where in the ring they are.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

#include "base/counter.h"
#include "base/pinned.h"
#include "proxy/access_log_lines.h"
#include "proxy/access_log_record.h"

namespace holdfast::proxy {

/// Single writer (the loop), single reader (the log's thread).
class AccessRing : Pinned {
 public:
  static constexpr std::size_t kBytes = std::size_t{1} << 21;  // 50 ms of 100,000 requests/s at 400 B
  /// Below this an empty ring could refuse a record.
  static constexpr std::size_t kBytesMin = std::size_t{1} << 15;
  static_assert(kBytesMin >= 2 * kPackedRecordBytesMax);

  /// Requires: a power of two, at least kBytesMin.
  explicit AccessRing(std::size_t bytes = kBytes);

  void push(const AccessRecord& record);
  /// Adds the line of every record there is, or as many as there is room for. Returns how many.
  std::size_t drain(AccessLines& lines);

  Counter dropped;

 private:
  void store(const AccessRecord& record, std::size_t text_bytes);

  const std::size_t bytes_;
  const std::unique_ptr<char[]> memory_;
  alignas(64) std::atomic<std::size_t> written_ = 0;
  alignas(64) std::atomic<std::size_t> read_ = 0;
};

}  // namespace holdfast::proxy

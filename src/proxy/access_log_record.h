// What is logged of one request, and how it lies in memory between the loop that had the request and the thread that
// writes the line: a fixed part, then the texts one after the other, then room to spare. The room lets both sides work
// sixteen bytes at a time: they may write (the loop) and read (the thread) past the end of a text without leaving the
// record, so that no byte of it is ever shared with its neighbour in the ring.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace holdfast::proxy {

/// What is logged of one request. The views are copied at once, and cut to kTextBytesMax.
struct AccessRecord {
  static constexpr std::size_t kTextBytesMax = 1024;

  std::int64_t wall_us = 0;  ///< when it began, in microseconds since 1970
  std::uint32_t duration_us = 0;
  std::uint32_t upstream_us = 0;     ///< until the endpoint's first byte; 0 when none came
  std::uint64_t request_bytes = 0;   ///< of the body, without its framing
  std::uint64_t response_bytes = 0;  ///< the same, whoever answered; of a tunnel: all bytes to the client
  std::uint16_t status = 0;          ///< 0: the client was gone before an answer
  std::uint8_t attempts = 0;
  std::string_view client;
  std::string_view method;
  std::string_view host;
  std::string_view path;
  std::string_view listener;
  std::string_view service;
  std::string_view endpoint;
  std::string_view breaker;  ///< that was asked: of this caller, or the service's own
  std::string_view reason;   ///< X-Holdfast-Reason, or why the exchange was cut short
  std::string_view request_id;
};

/// The texts of a record, in the order in which they lie in memory and stand in a line.
inline constexpr std::array kAccessTexts{&AccessRecord::client,    &AccessRecord::method,   &AccessRecord::host,
                                         &AccessRecord::path,      &AccessRecord::listener, &AccessRecord::service,
                                         &AccessRecord::endpoint,  &AccessRecord::breaker,  &AccessRecord::reason,
                                         &AccessRecord::request_id};

/// The fixed part of a record in memory.
struct PackedRecord {
  static constexpr std::size_t kAlign = 16;
  /// Past the end of its last text.
  static constexpr std::size_t kSpareBytes = 15;

  /// Of the record with its texts and what is spare, a multiple of kAlign. 0: no record; the next is at the start.
  std::uint32_t bytes;
  std::uint32_t duration_us;
  std::uint32_t upstream_us;
  std::uint16_t status;
  std::uint8_t attempts;
  std::int64_t wall_us;
  std::uint64_t request_bytes;
  std::uint64_t response_bytes;
  std::array<std::uint16_t, kAccessTexts.size()> sizes;

  static constexpr std::size_t bytes_for(std::size_t text_bytes);
};

constexpr std::size_t PackedRecord::bytes_for(std::size_t text_bytes) {
  return (sizeof(PackedRecord) + text_bytes + kSpareBytes + kAlign - 1) / kAlign * kAlign;
}

inline constexpr std::size_t kPackedRecordBytesMax =
    PackedRecord::bytes_for(kAccessTexts.size() * AccessRecord::kTextBytesMax);

}  // namespace holdfast::proxy

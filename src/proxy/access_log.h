// Access log: one JSON line per request, paid for elsewhere. A loop copies a record into its own ring and goes on; one
// thread turns records into lines and writes them. A full ring drops the record and counts it: the log never slows or
// stops a request. A reader that is stuck, or a full disk, stops the writing; what then finds no room in the rings is
// what is lost and counted, in whole lines. It does not keep the proxy from stopping either.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/counter.h"
#include "base/pinned.h"
#include "base/result.h"
#include "base/time.h"
#include "config/model.h"
#include "io/loop_thread.h"
#include "io/scope.h"
#include "io/stop.h"
#include "io/unique_fd.h"

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
  std::string_view reason;  ///< X-Holdfast-Reason, or why the exchange was cut short
  std::string_view request_id;
};

/// The line of a record, with its newline: JSON (RFC 8259).
void append_json(std::string& out, const AccessRecord& record);

/// Single writer (the loop), single reader (the log's thread).
class AccessRing : Pinned {
 public:
  static constexpr std::size_t kBytes = std::size_t{1} << 21;  // 50 ms of 100,000 requests/s at 400 B

  AccessRing() : bytes_(std::make_unique_for_overwrite<char[]>(kBytes)) {}

  void push(const AccessRecord& record);
  /// Appends the line of every record there is. Returns how many.
  std::size_t drain(std::string& out);

  Counter dropped;

 private:
  void copy_in(std::size_t& at, const void* from, std::size_t size);
  void copy_out(std::size_t& at, void* to, std::size_t size) const;

  std::unique_ptr<char[]> bytes_;
  alignas(64) std::atomic<std::size_t> written_ = 0;
  alignas(64) std::atomic<std::size_t> read_ = 0;
};

class AccessLog : Pinned {
 public:
  /// Use open().
  AccessLog(std::string path, io::UniqueFd fd);

  /// Errors: the file cannot be opened.
  static Result<std::unique_ptr<AccessLog>> open(const config::AccessLog& config);
  /// Writes what is left, as long as somebody takes it within kLastWords.
  ~AccessLog();

  /// A ring for one loop; it lives as long as the log.
  AccessRing* add_ring();
  /// Opens the file anew: after it was moved away by log rotation.
  void reopen();

 private:
  io::Task<> write_now_and_then();
  void write_out(Duration patience);
  bool write_pending(Deadline deadline);

  static constexpr Duration kPeriod = 50ms;
  static constexpr Duration kLastWords = 1s;

  const std::string path_;
  io::LoopThread thread_;
  // On the thread's loop only:
  io::UniqueFd fd_;
  std::size_t piece_bytes_;
  std::vector<std::unique_ptr<AccessRing>> rings_;
  std::string lines_;        ///< being written
  std::size_t written_ = 0;  ///< of them
  io::Stop stop_;
  io::Scope tasks_;
};

}  // namespace holdfast::proxy

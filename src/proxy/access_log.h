// Access log: one JSON line per request, paid for elsewhere. A loop copies a record into its own ring and goes on; one
// thread turns records into lines and writes them. A full ring drops the record and counts it: the log never slows or
// stops a request. A reader that is stuck, or a full disk, stops the writing; what then finds no room in the rings is
// what is lost and counted, in whole lines. It does not keep the proxy from stopping either.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/pinned.h"
#include "base/result.h"
#include "base/time.h"
#include "config/model.h"
#include "io/loop_thread.h"
#include "io/scope.h"
#include "io/stop.h"
#include "io/unique_fd.h"
#include "proxy/access_log_lines.h"
#include "proxy/access_log_record.h"
#include "proxy/access_log_ring.h"

namespace holdfast::proxy {

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
  std::size_t write_out(Duration patience);
  bool write_pending(Deadline deadline);

  // The pause between two rounds. Under load it shrinks until a round is about kRoundBytes: some 200 us of work on a
  // core that a loop may want, and few enough rounds that waking up does not count.
  static constexpr Duration kPauseMax = 50ms;
  static constexpr Duration kPauseMin = 5ms;
  static constexpr std::size_t kRoundBytes = std::size_t{256} << 10;
  static constexpr Duration kPatience = 50ms;
  static constexpr Duration kLastWords = 1s;

  const std::string path_;
  io::LoopThread thread_;
  // On the thread's loop only:
  io::UniqueFd fd_;
  std::size_t piece_bytes_;
  std::vector<std::unique_ptr<AccessRing>> rings_;
  std::size_t first_ring_ = 0;  ///< to be drained in the next round
  AccessLines lines_;           ///< being written
  std::size_t written_ = 0;     ///< of them
  io::Stop stop_;
  io::Scope tasks_;
};

}  // namespace holdfast::proxy

// Connection: bytes to a server and back, with what has been received and not yet read. One user at a time.
//
// A peer that lost its power says nothing for ever: keep-alive probes and TCP_USER_TIMEOUT make the kernel notice
// within a few seconds, also while we only listen (a watch).
#pragma once

#include <memory>
#include <string>

#include "base/pinned.h"
#include "base/result.h"
#include "base/time.h"
#include "client/tls.h"
#include "client/url.h"
#include "io/loop.h"
#include "io/stop.h"
#include "io/stream.h"
#include "io/task.h"

namespace holdfast::client {

inline constexpr Duration kKeepAliveIdle = 1s;
inline constexpr Duration kKeepAliveInterval = 1s;
inline constexpr int kKeepAliveProbes = 3;
inline constexpr Duration kUnacknowledgedMax = 2s;  ///< TCP_USER_TIMEOUT

class Connection : public Pinned {
 public:
  explicit Connection(std::unique_ptr<io::Stream> stream) : stream_(std::move(stream)) {}

  /// Connects to one of the addresses of `url`, in their order. Encrypted, if it says so, as `tls` says.
  /// Errors: Side::upstream with Code::refused, timed_out, missing (no such name), denied (the server is not who it
  /// should be), …; Code::stopped.
  static io::Task<Result<std::unique_ptr<Connection>>> open(Ref<io::Loop> loop, Url url,
                                                            std::shared_ptr<const TlsSettings> tls, Deadline deadline,
                                                            Ref<io::Stop> stop);

  /// Errors: Code::timed_out, closed, stopped. Whether anything was sent, sent() says.
  io::Task<Result<>> send(std::string bytes, Deadline deadline);
  /// Waits for more; false when the server ended its direction.
  io::Task<Result<bool>> receive(Deadline deadline);

  /// What has been received and not taken.
  std::string& received() { return received_; }
  /// Bytes that the kernel took since the connection began, those of TLS included.
  std::uint64_t sent() const { return sent_; }

  /// Nothing is unread and nobody hung up: it may carry another exchange. Asks the kernel: the loop may not have looked
  /// since the server went, and what is sent into a dead connection is a request of which nobody knows what became.
  bool quiet();
  /// Ends all waits with Code::stopped.
  void cancel() { stream_->cancel(); }

 private:
  io::Task<Result<>> shake_hands(Deadline deadline);
  io::Task<Result<>> send_raw(std::string bytes, Deadline deadline);
  /// Adds what comes to `raw_`, or without TLS to `received_`.
  io::Task<Result<bool>> receive_raw(Deadline deadline);

  std::unique_ptr<io::Stream> stream_;
  std::unique_ptr<Tls> tls_;  ///< null: not encrypted
  std::string raw_;           ///< of TLS: what came, encrypted
  std::string received_;
  std::uint64_t sent_ = 0;
};

}  // namespace holdfast::client

// Session: one client connection. Between requests it is small and owns no buffer; while requests are there, an
// Exchange (exchange.h) carries them one after the other. Start reading at serve_http().
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string_view>

#include "base/pinned.h"
#include "io/stream.h"
#include "io/task.h"
#include "proxy/worker.h"

namespace holdfast::proxy {

class Exchange;

class Session : Pinned {
 public:
  Session(Worker& worker, Front& front, io::UniqueFd fd, const io::SocketAddress& peer);
  ~Session();

  Worker& worker() { return *worker_; }
  io::Stream& stream() { return stream_; }
  std::string_view client() const { return {client_.data(), client_size_}; }
  Front& front() { return *front_; }
  bool trusted_peer() const { return trusted_peer_; }

  /// Ends whatever this connection waits for, on either side, with an error.
  void cut_off();

  /// The exchange in progress.
  Exchange* exchange = nullptr;
  /// Waiting for a request: it may be closed without hurting one.
  bool idle = true;
  /// Bytes of a request that nobody will read may be on their way: closing at once would make the kernel send a reset,
  /// and the reset would take our answer with it (RFC 9112 9.6).
  bool linger = false;
  std::uint32_t requests = 0;
  /// Counts among the connections of its address.
  std::optional<AddressCounts::Key> counted_as;

 private:
  io::Stream stream_;
  Worker* worker_;
  Front* front_;
  std::uint32_t place_;  ///< in the worker's list
  std::array<char, 45> client_;
  std::uint8_t client_size_ = 0;
  bool trusted_peer_ = false;
};

/// Serves one HTTP connection until it ends.
io::Task<> serve_http(std::unique_ptr<Session> session);

/// Serves one TCP connection: picks an endpoint, connects (another one if that fails), joins the two.
io::Task<> serve_tcp(std::unique_ptr<Session> session);

}  // namespace holdfast::proxy

// Origin: one server, and the connections to it. An exchange takes an idle connection or opens one, and gives it back
// when the answer has been read. Start reading at exchange().
//
// Whoever changes something must know whether a failed request can have arrived: every failure says whether a byte of
// it had been handed to the kernel. A connection is used again only if it is quiet, but a server may close it just
// then: such a failure counts as sent, too.
#pragma once

#include <memory>
#include <vector>

#include "base/check.h"
#include "base/pinned.h"
#include "client/connection.h"
#include "client/incoming.h"
#include "client/message.h"
#include "client/url.h"

namespace holdfast::client {

struct OriginLimits {
  std::size_t connections_max = 64;  ///< in use at the same time; beyond: Code::overloaded
  std::size_t idle_max = 8;
  Duration connect_max = 1s;  ///< a server that does not answer the handshakes by then is taken for dead
};

/// Either the answer, or what failed and whether the request may have arrived.
struct Exchanged {
  Result<Response> response;
  bool sent = false;
};
struct Started {
  Result<std::unique_ptr<Incoming>> incoming;
  bool sent = false;
};

class Origin : public Pinned {
 public:
  /// `tls` is needed for https, and unused for http.
  Origin(io::Loop& loop, Url url, OriginLimits limits = {}, std::shared_ptr<const TlsSettings> tls = nullptr)
      : loop_(loop), url_(std::move(url)), limits_(limits), tls_(url_.tls ? std::move(tls) : nullptr) {
    check(!url_.tls || tls_ != nullptr, "https needs TLS settings");
  }

  const Url& url() const { return url_; }

  /// Sends a request and reads the whole answer.
  /// Errors: Side::upstream with Code::refused, timed_out, closed, protocol, overloaded (more than `body_max` bytes, or
  /// too many exchanges at once); Code::stopped after close(); Code::invalid.
  io::Task<Exchanged> exchange(Request request, std::size_t body_max, Deadline deadline);

  /// Sends a request and reads the head of the answer, over a connection of its own.
  /// Requires: the Incoming goes before the Origin.
  io::Task<Started> start(Request request, Deadline deadline);

  /// Ends all exchanges and pieces that wait, and all to come, with Code::stopped.
  void close();

 private:
  io::Task<Started> begin(std::unique_ptr<Connection> connection, Request request, Deadline deadline);
  std::unique_ptr<Connection> take_idle();

  io::Loop& loop_;
  const Url url_;
  const OriginLimits limits_;
  const std::shared_ptr<const TlsSettings> tls_;
  io::Stop stop_;
  std::size_t in_use_ = 0;
  std::vector<std::unique_ptr<Connection>> idle_;  ///< the last used is the first to be used again
};

}  // namespace holdfast::client

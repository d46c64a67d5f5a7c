// Incoming: an answer that is being read: its head is there, its body comes piece by piece. For what has no end (a
// watch), and underneath Origin::exchange for what is read whole.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/pinned.h"
#include "base/result.h"
#include "client/body_decoder.h"
#include "client/connection.h"
#include "http/method.h"
#include "io/stop.h"
#include "io/task.h"

namespace holdfast::client {

class Incoming : public Pinned {
 public:
  /// Reads the head of the answer to what was sent; interim answers are skipped.
  /// Errors: Code::protocol, closed, timed_out, stopped.
  static io::Task<Result<std::unique_ptr<Incoming>>> read_head(std::unique_ptr<Connection> connection,
                                                               http::Method method, Deadline deadline,
                                                               Ref<io::Stop> stop);

  Incoming(std::unique_ptr<Connection> connection, const http::ResponseHead& head, std::string etag, io::Stop& stop);

  std::uint16_t status() const { return status_; }
  /// Empty if there was none.
  const std::string& etag() const { return etag_; }

  /// The next piece of the body, as it came; empty at its end.
  /// Errors: Code::protocol: the framing broke; Code::closed: the connection ended too early; timed_out: nothing came,
  /// the next call goes on; stopped.
  io::Task<Result<std::string>> next(Deadline deadline);

  /// Ends the wait in next() and all later ones with Code::stopped.
  void cancel() { connection_->cancel(); }

  /// The connection, if it may carry another exchange: the body has been read and nothing follows it.
  std::unique_ptr<Connection> release_if_reusable();

 private:
  std::unique_ptr<Connection> connection_;
  std::uint16_t status_;
  std::string etag_;
  bool keep_alive_;
  bool done_ = false;
  BodyDecoder body_;
  io::Stop::Hook on_stop_;
};

}  // namespace holdfast::client

// Visit: one request while it is being answered: what was asked, and what its handler may do that takes time. A handler
// waits only through it, so that nobody waits for a client that has gone, or keeps the server from ending.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/pinned.h"
#include "http/head.h"
#include "io/loop.h"
#include "io/scope.h"
#include "io/signal.h"
#include "io/stop.h"
#include "io/stream.h"
#include "journal/followers.h"

namespace holdfast::admin {

/// So many may wait at once: half of the connections, so that there is always one for who does not.
inline constexpr std::size_t kWaitingMax = 32;
inline constexpr Duration kWriteTimeout = 10s;  ///< for a whole answer, or a piece of one without end

class Visit : Pinned {
 public:
  /// `stop` ends all waiting; `waiting` counts who has a place to wait.
  Visit(io::Stream& stream, io::Stop& stop, std::size_t& waiting);
  /// Requires: end() came before.
  ~Visit();

  /// Both point into what was received, which stays as long as the visit.
  http::RequestHead head;
  std::string_view body;

  Instant now() const { return loop_.now(); }

  /// Takes a place to wait, until the visit ends. False: too many wait already, or it is no time for waiting.
  bool take_place();
  /// Waits until `followers` are told something, or something puts an end to waiting: see is_over().
  /// Requires: take_place() gave one, or `until` is near.
  io::Task<> wait(Ref<journal::Followers> followers, Instant until);
  /// There is nothing to wait for any more: the client left or sends more, or the server will end.
  bool is_over() const { return is_over_ || stop_.requested(); }

  /// A piece of an answer without end; the first begins with stream_head(). False: the client has gone, or was too
  /// slow.
  io::Task<bool> send(std::string piece);

  /// Server only: the next request is there already, so this one waits for nothing.
  void client_goes_on() { is_over_ = true; }
  /// Server only: nothing here waits on the stream any more.
  io::Task<> end();

 private:
  io::Task<> watch_client();

  io::Stream& stream_;
  io::Loop& loop_;
  io::Stop& stop_;
  std::size_t& waiting_;
  bool has_place_ = false;
  bool is_watched_ = false;
  bool is_over_ = false;
  io::Signal wake_;
  io::Scope tasks_;
};

}  // namespace holdfast::admin

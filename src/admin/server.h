// Server: a small HTTP/1.1 server on one loop. It is made for a handful of operators, scrapers and client libraries,
// and protects its loop from them: few connections, of which half may wait for something to happen; small heads and
// bodies; deadlines on every wait. Start reading at serve().
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>

#include "admin/answer.h"
#include "admin/visit.h"
#include "base/pinned.h"
#include "base/result.h"
#include "config/address.h"
#include "http/parse.h"
#include "io/handed_sockets.h"
#include "io/listening_socket.h"
#include "io/loop.h"
#include "io/scope.h"
#include "io/stop.h"

namespace holdfast::admin {

/// Open at once; whoever comes later is told so with 503.
inline constexpr std::size_t kConnectionsMax = 64;
/// Of a request's head; longer is refused with 431.
inline constexpr std::uint32_t kHeadBytesMax = 8 * 1024;
inline constexpr std::uint32_t kHeadersMax = 64;
/// Of a request's body; longer is refused with 413.
inline constexpr std::size_t kBodyBytesMax = std::size_t{8} * 1024;
inline constexpr Duration kIdleTimeout = 60s;  ///< until the first byte of a request
inline constexpr Duration kHeadTimeout = 5s;   ///< from there to the end of its head
inline constexpr Duration kBodyTimeout = 5s;   ///< and to the end of its body

class Server : Pinned {
 public:
  /// Answers on the loop; it waits only through the visit.
  using Handler = std::function<io::Task<Answer>(Ref<Visit> visit)>;

  /// Binds, or takes the socket that was handed over for this address; nobody is served before start().
  /// Errors: the address cannot be bound.
  static Result<std::unique_ptr<Server>> open(io::Loop& loop, const config::Address& bind, io::HandedSockets& handed,
                                              Handler handler);

  Server(io::Loop& loop, const io::SocketAddress& address, io::UniqueFd socket, Handler handler);
  ~Server();

  /// With the port the system chose for port 0.
  const io::SocketAddress& address() const { return address_; }

  /// A second handle of the listening socket, to hand over.
  io::NamedSocket listening_socket();

  void start();

  /// Whoever waits for something to happen is answered now, and nobody waits from then on.
  void end_waiting() { waiting_ends_.request(); }

  /// Accepts no more, lets answers on their way finish until the deadline, and ends.
  /// Requires: follows start(), once; the server dies only after it.
  io::Task<> close(Deadline deadline);

 private:
  struct Connection;
  enum class Next : unsigned char {
    another,  ///< request may come
    last,     ///< was that
    gone,     ///< is the client
  };

  io::Task<> accept_all();
  void receive(io::UniqueFd fd);
  io::Task<> serve(io::UniqueFd fd);
  io::Task<Next> serve_one(Ref<Connection> connection);
  io::Task<http::ParseOutcome> read_head(Ref<Connection> connection, Ref<Visit> visit);
  io::Task<bool> read_body(Ref<Connection> connection, Ref<Visit> visit);
  io::Task<> linger(Ref<Connection> connection);

  io::Loop& loop_;
  const io::SocketAddress address_;
  const Handler handler_;
  io::Acceptor acceptor_;
  std::list<Connection*> connections_;
  std::size_t waiting_ = 0;
  io::Stop waiting_ends_;
  io::Stop stop_;
  io::Scope tasks_;
};

}  // namespace holdfast::admin

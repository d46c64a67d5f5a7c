#include "admin/server.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <unistd.h>

#include "http/head_end.h"
#include "io/stream.h"

namespace holdfast::admin {
namespace {

// A scraper may pipeline, but one request's head and a little is all we hold.
constexpr std::size_t kBufferBytes = std::size_t{2} * kHeadBytesMax;

/// No listener can be called like this.
constexpr const char* kSocketName = "@admin";

http::Limits head_limits() {
  http::Limits limits;
  limits.header_bytes = kHeadBytesMax;
  limits.headers = kHeadersMax;
  limits.target_bytes = kHeadBytesMax / 2;
  limits.field_bytes = kHeadBytesMax / 2;
  return limits;
}

}  // namespace

// One client. Bytes from `begin` to `end` have come and are not answered yet.
struct Server::Connection : Pinned {
  Connection(Server& server_, io::UniqueFd fd)
      : server(&server_),
        stream(server_.loop_, std::move(fd)),
        place(server_.connections_.insert(server_.connections_.end(), this)) {}
  ~Connection() { server->connections_.erase(place); }

  std::string_view unread() const { return {buffer.data() + begin, end - begin}; }
  /// Moves what is unread to the front: views of the last head are void then.
  void compact() {
    std::memmove(buffer.data(), buffer.data() + begin, end - begin);
    end -= begin;
    begin = 0;
  }

  Server* server;
  io::Stream stream;
  std::list<Connection*>::iterator place;
  http::RequestHead head;
  bool idle = true;  ///< between two requests: may be closed without hurting one
  std::size_t begin = 0;
  std::size_t end = 0;
  std::array<char, kBufferBytes> buffer;
};

Result<std::unique_ptr<Server>> Server::open(io::Loop& loop, const config::Address& bind, io::HandedSockets& handed,
                                             Handler handler) {
  Result<io::SocketAddress> address =
      bind.is_unix() ? io::SocketAddress::from_unix(bind.host) : io::SocketAddress::from_ip(bind.host, bind.port);
  if (!address) return pass(address, "admin.bind");
  std::vector<io::UniqueFd> taken = handed.take(kSocketName, *address);
  Result<io::UniqueFd> socket = taken.empty() ? io::listen_on(*address) : std::move(taken.front());
  if (!socket) return pass(socket, "admin.bind");
  if (!address->is_unix()) *address = io::local_address(socket->get());
  return std::make_unique<Server>(loop, *address, std::move(*socket), std::move(handler));
}

Server::Server(io::Loop& loop, const io::SocketAddress& address, io::UniqueFd socket, Handler handler)
    : loop_(loop), address_(address), handler_(std::move(handler)), acceptor_(loop, std::move(socket)), tasks_(loop) {}

io::NamedSocket Server::listening_socket() {
  Result<io::UniqueFd> second = io::duplicate(acceptor_.descriptor().fd());
  return {kSocketName, second ? std::move(*second) : io::UniqueFd()};
}

Server::~Server() {
  if (address_.is_unix()) ::unlink(reinterpret_cast<const sockaddr_un*>(address_.raw())->sun_path);
}

void Server::start() { tasks_.add(accept_all()); }

io::Task<> Server::close(Deadline deadline) {
  stop_.request();
  acceptor_.cancel();
  for (Connection* connection : connections_) {
    if (connection->idle) connection->stream.cancel();
  }
  const bool ended = co_await tasks_.join(deadline);
  if (ended) co_return;
  for (Connection* connection : connections_) connection->stream.cancel();
  (void)co_await tasks_.join(kNever);
}

// ---- connections in

io::Task<> Server::accept_all() {
  constexpr Duration kBreath = 100ms;  // when files ran out: others must close first
  while (!stop_.requested()) {
    io::Accepted accepted = co_await acceptor_.accept();
    if (accepted.error == ECANCELED) break;
    if (accepted.error != 0) {
      co_await io::sleep_until(loop_, loop_.now() + kBreath, stop_);
      continue;
    }
    receive(std::move(accepted.fd));
    co_await loop_.yield();
  }
}

void Server::receive(io::UniqueFd fd) {
  if (!address_.is_unix()) io::set_no_delay(fd.get());
  if (connections_.size() < kConnectionsMax) {
    tasks_.add(serve(std::move(fd)));
    return;
  }
  const Answer busy = error_answer(503, "overloaded", "too many connections to the admin API", "close idle ones");
  io::Stream stream(loop_, std::move(fd));
  (void)stream.try_write(to_bytes(busy, {.to_head = false, .keep_alive = false}));
}

// ---- one connection

io::Task<> Server::serve(io::UniqueFd fd) {
  Connection connection(*this, std::move(fd));
  bool again = true;
  while (again && !stop_.requested()) {
    const http::ParseOutcome outcome = co_await read_head(connection);
    if (outcome.status == http::ParseStatus::incomplete) co_return;

    const http::RequestHead& head = connection.head;
    Delivery delivery;
    Answer answer;
    if (outcome.status == http::ParseStatus::complete) {
      answer = handler_(head);
      delivery.to_head = head.method == http::Method::head;
      // Nothing here takes a body. Whoever sends one is answered, and the rest of it is not read as a request.
      delivery.keep_alive = head.keep_alive && head.framing == http::Framing::none && !stop_.requested();
    } else {
      answer = error_answer(outcome.answer, "bad_request", outcome.reason, "send a well-formed HTTP/1.1 request");
      if (outcome.answer == 405) answer.allow = "GET, HEAD";
      delivery.keep_alive = false;
    }
    connection.begin += outcome.head_bytes;
    again = delivery.keep_alive;

    const std::string bytes = to_bytes(answer, delivery);
    const io::Moved sent = co_await connection.stream.write_all(bytes, loop_.now() + kWriteTimeout);
    if (!sent.ok()) co_return;
    co_await loop_.yield();  // one who pipelines must not keep the loop to himself
  }
  co_await linger(connection);
}

// The head of the next request in connection.head. Incomplete: the client has gone, or was too slow.
io::Task<http::ParseOutcome> Server::read_head(Ref<Connection> connection) {
  connection->compact();
  if (connection->end == 0) {
    connection->idle = true;
    const int error = co_await connection->stream.readable(loop_.now() + kIdleTimeout);
    connection->idle = false;
    http::ParseOutcome nothing;
    if (error != 0) co_return nothing;
  }
  const Deadline deadline = loop_.now() + kHeadTimeout;
  const http::Limits limits = head_limits();
  http::HeadEndScanner scanner;
  while (true) {
    // The buffer is larger than any head that is allowed, so a full one is always judged.
    const bool full = connection->end == kBufferBytes;
    if (connection->end != 0 && (scanner.should_parse(connection->unread()) || full)) {
      const http::ParseOutcome outcome = http::parse_request_head(connection->unread(), limits, connection->head);
      if (outcome.status != http::ParseStatus::incomplete) co_return outcome;
    }
    const std::span<char> room = std::span<char>(connection->buffer).subspan(connection->end);
    const io::Moved got = co_await connection->stream.read_some(room, deadline);
    http::ParseOutcome nothing;
    if (!got.ok() || got.ended()) co_return nothing;
    connection->end += got.bytes;
  }
}

// RFC 9112 9.6: close in stages, or a client that is still sending sees a reset before it has read our answer.
io::Task<> Server::linger(Ref<Connection> connection) {
  constexpr Duration kPatience = 1s;
  constexpr int kReadsMax = 64;
  connection->stream.end_writing();
  const Deadline deadline = loop_.now() + kPatience;
  for (int reads = 0; reads < kReadsMax; ++reads) {
    const std::span<char> room(connection->buffer);
    const io::Moved got = co_await connection->stream.read_some(room, deadline);
    if (!got.ok() || got.ended()) co_return;
  }
}

}  // namespace holdfast::admin

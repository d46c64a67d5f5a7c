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

// A scraper may pipeline, but one request and a little is all we hold.
constexpr std::size_t kBufferBytes = std::size_t{2} * kHeadBytesMax + kBodyBytesMax;

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

/// Why a body is not read; nothing for one that is.
std::optional<Answer> refuse_body(const http::RequestHead& head) {
  switch (head.framing) {
    case http::Framing::none: return std::nullopt;
    case http::Framing::length: break;
    default: return error_answer(411, "length_required", "the body has no Content-Length", "say how long it is");
  }
  if (head.content_length <= kBodyBytesMax) return std::nullopt;
  return error_answer(413, "too_large", "the body is longer than " + std::to_string(kBodyBytesMax) + " bytes",
                      "send less");
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
  /// Moves what is unread to the front: views of the last request are void then.
  void compact() {
    std::memmove(buffer.data(), buffer.data() + begin, end - begin);
    end -= begin;
    begin = 0;
  }

  Server* server;
  io::Stream stream;
  std::list<Connection*>::iterator place;
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
  waiting_ends_.request();
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
  Next next = Next::another;
  while (next == Next::another && !stop_.requested()) {
    next = co_await serve_one(connection);
    co_await loop_.yield();  // one who pipelines must not keep the loop to himself
  }
  if (next == Next::gone) co_return;
  co_await linger(connection);
}

io::Task<Server::Next> Server::serve_one(Ref<Connection> connection) {
  Visit visit(connection->stream, waiting_ends_, waiting_);
  const http::ParseOutcome outcome = co_await read_head(connection, visit);
  if (outcome.status == http::ParseStatus::incomplete) co_return Next::gone;
  Delivery delivery{.to_head = false, .keep_alive = false};
  Answer answer;
  if (outcome.status == http::ParseStatus::malformed) {
    answer = error_answer(outcome.answer, "bad_request", outcome.reason, "send a well-formed HTTP/1.1 request");
    if (outcome.answer == 405) answer.allow = "GET, HEAD";
  } else if (std::optional<Answer> refused = refuse_body(visit.head)) {
    answer = std::move(*refused);  // its body is not read: nothing after it can be
  } else {
    const bool is_whole = co_await read_body(connection, visit);
    if (!is_whole) co_return Next::gone;
    answer = co_await handler_(visit);
    co_await visit.end();
    delivery.keep_alive = visit.head.keep_alive && !stop_.requested();
  }
  if (answer.is_told) co_return Next::last;
  delivery.to_head = visit.head.method == http::Method::head;
  const std::string bytes = to_bytes(answer, delivery);
  const io::Moved sent = co_await connection->stream.write_all(bytes, loop_.now() + kWriteTimeout);
  if (!sent.ok()) co_return Next::gone;
  co_return delivery.keep_alive ? Next::another : Next::last;
}

// The head of the next request in visit.head. Incomplete: the client has gone, or was too slow.
io::Task<http::ParseOutcome> Server::read_head(Ref<Connection> connection, Ref<Visit> visit) {
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
      const http::ParseOutcome outcome = http::parse_request_head(connection->unread(), limits, visit->head);
      if (outcome.status == http::ParseStatus::complete) connection->begin += outcome.head_bytes;
      if (outcome.status != http::ParseStatus::incomplete) co_return outcome;
    }
    const std::span<char> room = std::span<char>(connection->buffer).subspan(connection->end);
    const io::Moved got = co_await connection->stream.read_some(room, deadline);
    http::ParseOutcome nothing;
    if (!got.ok() || got.ended()) co_return nothing;
    connection->end += got.bytes;
  }
}

// The rest of the request, into visit.body. False: the client has gone, or was too slow.
io::Task<bool> Server::read_body(Ref<Connection> connection, Ref<Visit> visit) {
  const std::size_t length = visit->head.content_length;
  const Deadline deadline = loop_.now() + kBodyTimeout;
  if (visit->head.expect_continue && connection->unread().size() < length) {
    const std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    const io::Moved sent = co_await connection->stream.write_all(go_on, deadline);
    if (!sent.ok()) co_return false;
  }
  while (connection->unread().size() < length) {
    const std::span<char> room = std::span<char>(connection->buffer).subspan(connection->end);
    const io::Moved got = co_await connection->stream.read_some(room, deadline);
    if (!got.ok() || got.ended()) co_return false;
    connection->end += got.bytes;
  }
  visit->body = connection->unread().substr(0, length);
  connection->begin += length;
  if (!connection->unread().empty()) visit->client_goes_on();
  co_return true;
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

#include "client/connection.h"

#include <cerrno>
#include <cstring>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "io/resolver.h"

namespace holdfast::client {
namespace {

constexpr std::size_t kReadBytes = std::size_t{32} * 1024;

template <class Number>
void set_option(int fd, int level, int option, Number value) {
  const int number = static_cast<int>(value);
  ::setsockopt(fd, level, option, &number, sizeof number);
}

void notice_dead_peers(int fd) {
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, kKeepAliveIdle / 1s);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, kKeepAliveInterval / 1s);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, kKeepAliveProbes);
  set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, kUnacknowledgedMax / 1ms);
}

std::unexpected<Error> failed(int error, std::string_view doing) {
  const std::string words = error == ETIMEDOUT ? "not in time" : std::strerror(error);
  return fail(code_from_errno(error), Side::upstream, words + ": " + std::string(doing));
}

io::Task<Result<std::vector<io::SocketAddress>>> find(Ref<io::Loop> loop, Url url, Deadline deadline,
                                                      Ref<io::Stop> stop) {
  std::vector<io::SocketAddress> found;
  if (url.host.starts_with('/')) {
    const Result<io::SocketAddress> socket = io::SocketAddress::from_unix(url.host);
    if (!socket) co_return std::unexpected<Error>(socket.error());
    found.push_back(*socket);
    co_return found;
  }
  if (Result<io::SocketAddress> literal = io::SocketAddress::from_ip(url.host, url.port)) {
    found.push_back(*literal);
    co_return found;
  }
  io::NameServers of_the_machine;
  Result<io::Resolved> resolved = co_await io::resolve(loop, url.host, std::move(of_the_machine), deadline, stop);
  if (!resolved) co_return std::unexpected<Error>(std::move(resolved.error()));
  for (const io::SocketAddress& each : resolved->addresses) {
    Result<io::SocketAddress> address = io::SocketAddress::from_ip(io::ip_to_string(each), url.port);
    if (address) found.push_back(*address);
  }
  co_return found;
}

}  // namespace

io::Task<Result<std::unique_ptr<Connection>>> Connection::open(Ref<io::Loop> loop, Url url,
                                                               std::shared_ptr<const TlsSettings> tls,
                                                               Deadline deadline, Ref<io::Stop> stop) {
  Result<std::vector<io::SocketAddress>> addresses = co_await find(loop, url, deadline, stop);
  if (!addresses) co_return std::unexpected<Error>(std::move(addresses.error()));
  Error last{Code::missing, Side::upstream, "no address: connect " + to_string(url)};
  for (const io::SocketAddress& address : *addresses) {
    Result<std::unique_ptr<io::Stream>> stream = io::Stream::start_connect(*loop, address);
    if (!stream) {
      last = std::move(stream.error());
      continue;
    }
    notice_dead_peers((*stream)->fd());
    io::Stream& connecting = **stream;
    const io::Stop::Hook end(*stop, [&connecting] { connecting.cancel(); });
    const int error = co_await connecting.connected(deadline);
    if (error != 0) {
      last = failed(error, "connect " + io::to_string(address)).error();
      continue;
    }
    auto connection = std::make_unique<Connection>(std::move(*stream));
    if (tls == nullptr) co_return connection;
    connection->tls_ = std::make_unique<Tls>(*tls, url.host);
    Result<> greeted = co_await connection->shake_hands(deadline);
    if (greeted) co_return connection;
    last = pass(greeted, "connect " + io::to_string(address)).error();
  }
  co_return std::unexpected<Error>(std::move(last));
}

io::Task<Result<>> Connection::shake_hands(Deadline deadline) {
  while (true) {
    const Result<bool> done = tls_->handshake();
    Result<> sent = co_await send_raw(tls_->output(), deadline);  // also the alert that says why not
    if (!done) co_return std::unexpected<Error>(done.error());
    if (!sent || *done) co_return sent;
    const Result<bool> more = co_await receive_raw(deadline);
    if (!more) co_return std::unexpected<Error>(more.error());
    if (!*more) co_return fail(Code::closed, Side::upstream, "the connection ended within the TLS handshake");
    tls_->input(raw_);
    raw_.clear();
  }
}

bool Connection::quiet() {
  if (!received_.empty() || !stream_->quiet()) return false;
  char byte = 0;
  return ::recv(stream_->fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

io::Task<Result<>> Connection::send(std::string bytes, Deadline deadline) {
  if (tls_ != nullptr) {
    Result<> encrypted = tls_->write(bytes);
    if (!encrypted) co_return encrypted;
    bytes = tls_->output();
  }
  Result<> sent = co_await send_raw(std::move(bytes), deadline);
  co_return sent;
}

io::Task<Result<bool>> Connection::receive(Deadline deadline) {
  const std::size_t had = received_.size();
  while (true) {
    Result<bool> more = co_await receive_raw(deadline);
    if (!more || !*more || tls_ == nullptr) co_return more;
    tls_->input(raw_);
    raw_.clear();
    more = tls_->read(received_);
    const Result<> answered = co_await send_raw(tls_->output(), deadline);  // a key update asks for one of ours
    if (!answered) co_return std::unexpected<Error>(answered.error());
    // What came before the end is told first; the next call finds the end.
    if (!more || !*more || received_.size() > had) co_return received_.size() > had ? Result<bool>(true) : more;
  }
}

io::Task<Result<>> Connection::send_raw(std::string bytes, Deadline deadline) {
  const io::Moved moved = co_await stream_->write_all(bytes, deadline);
  sent_ += moved.bytes;
  if (!moved.ok()) co_return failed(moved.error, "send");
  co_return Result<>{};
}

io::Task<Result<bool>> Connection::receive_raw(Deadline deadline) {
  std::string& into = tls_ == nullptr ? received_ : raw_;
  const std::size_t had = into.size();
  into.resize(had + kReadBytes);
  const std::span<char> room(into.data() + had, kReadBytes);
  const io::Moved moved = co_await stream_->read_some(room, deadline);
  into.resize(had + moved.bytes);
  if (!moved.ok()) co_return failed(moved.error, "receive");
  co_return !moved.ended();
}

}  // namespace holdfast::client

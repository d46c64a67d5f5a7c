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

io::Task<Result<std::unique_ptr<Connection>>> Connection::open(Ref<io::Loop> loop, Url url, Deadline deadline,
                                                               Ref<io::Stop> stop) {
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
    if (error == 0) co_return std::make_unique<Connection>(std::move(*stream));
    last = failed(error, "connect " + io::to_string(address)).error();
  }
  co_return std::unexpected<Error>(std::move(last));
}

bool Connection::quiet() {
  if (!received_.empty() || !stream_->quiet()) return false;
  char byte = 0;
  return ::recv(stream_->fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

io::Task<Result<>> Connection::send(std::string bytes, Deadline deadline) {
  const io::Moved moved = co_await stream_->write_all(bytes, deadline);
  sent_ += moved.bytes;
  if (!moved.ok()) co_return failed(moved.error, "send");
  co_return Result<>{};
}

io::Task<Result<bool>> Connection::receive(Deadline deadline) {
  const std::size_t had = received_.size();
  received_.resize(had + kReadBytes);
  const std::span<char> room(received_.data() + had, kReadBytes);
  const io::Moved moved = co_await stream_->read_some(room, deadline);
  received_.resize(had + moved.bytes);
  if (!moved.ok()) co_return failed(moved.error, "receive");
  co_return !moved.ended();
}

}  // namespace holdfast::client

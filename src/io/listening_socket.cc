#include "io/listening_socket.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/loop.h"
#include "io/stream.h"

namespace holdfast::io {
namespace {

std::string remedy(int error) {
  switch (error) {
    case EADDRINUSE:
      return " (somebody listens there already, perhaps another holdfast; stop it or choose another port)";
    case EACCES: return " (ports below 1024 need root or CAP_NET_BIND_SERVICE)";
    case EADDRNOTAVAIL: return " (no interface of this machine has this address)";
    default: return "";
  }
}

// A socket file whose owner is gone refuses connections; a living owner accepts or is busy.
bool is_left_over(const SocketAddress& address) {
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  return ::connect(probe.get(), address.raw(), address.size()) != 0 && errno == ECONNREFUSED;
}

void switch_on(const UniqueFd& fd, int level, int option) {
  const int on = 1;
  ::setsockopt(fd.get(), level, option, &on, sizeof on);
}

enum class Port : unsigned char { alone, opens_group, joins_group };

Result<UniqueFd> open_listener(const SocketAddress& address, Port port) {
  UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (address.is_unix()) {
    if (is_left_over(address)) ::unlink(reinterpret_cast<const sockaddr_un*>(address.raw())->sun_path);
  } else {
    switch_on(fd, SOL_SOCKET, SO_REUSEADDR);
    if (port == Port::joins_group) switch_on(fd, SOL_SOCKET, SO_REUSEPORT);
    if (address.family() == AF_INET6) switch_on(fd, IPPROTO_IPV6, IPV6_V6ONLY);
  }
  bool listening = ::bind(fd.get(), address.raw(), address.size()) == 0;
  // Bound alone, and from here on open to others: before listen(), which is what founds the kernel's group.
  if (listening && port == Port::opens_group) switch_on(fd, SOL_SOCKET, SO_REUSEPORT);
  listening = listening && ::listen(fd.get(), kListenBacklog) == 0;
  if (listening) return fd;
  const int error = errno;
  return fail(code_from_errno(error), Side::local,
              "listen on " + to_string(address) + ": " + std::strerror(error) + remedy(error));
}

}  // namespace

Result<UniqueFd> listen_on(const SocketAddress& address) { return open_listener(address, Port::alone); }

Result<std::vector<UniqueFd>> listen_as_group(const SocketAddress& address, std::size_t count, Company company) {
  std::vector<UniqueFd> sockets;
  SocketAddress chosen = address;
  for (std::size_t i = 0; i < count; ++i) {
    const bool opens = i == 0 && company == Company::nobody;
    Result<UniqueFd> socket = address.is_unix() && i > 0
                                  ? duplicate(sockets.front().get())
                                  : open_listener(chosen, opens ? Port::opens_group : Port::joins_group);
    if (!socket) return std::unexpected(std::move(socket.error()));
    sockets.push_back(std::move(*socket));
    if (i == 0 && !address.is_unix()) chosen = local_address(sockets.front().get());
  }
  return sockets;
}

Result<UniqueFd> duplicate(int fd) {
  UniqueFd second(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!second)
    return fail(code_from_errno(errno), Side::local, std::string("duplicate a socket: ") + std::strerror(errno));
  return second;
}

Acceptor::Acceptor(Loop& loop, UniqueFd fd) : descriptor_(loop, fd.release()) {
  descriptor_.file_is_shared();
  set_no_delay(descriptor_.fd());  // connections inherit it: one call less for each
}

AcceptOne::AcceptOne(Acceptor& acceptor) : Operation(&AcceptOne::attempt), acceptor_(&acceptor) {}

bool AcceptOne::await_ready() { return attempt(*this); }

void AcceptOne::await_suspend(std::coroutine_handle<> waiter) {
  acceptor_->descriptor().wait(*this, Descriptor::Direction::read, waiter, kNever);
}

Accepted AcceptOne::await_resume() {
  if (error != 0) accepted_.error = error;
  return std::move(accepted_);
}

bool AcceptOne::attempt(Operation& operation) {
  auto& self = static_cast<AcceptOne&>(operation);
  const Descriptor& descriptor = self.acceptor_->descriptor();
  if (descriptor.cancelled()) {
    self.error = ECANCELED;
    return true;
  }
  if (!descriptor.maybe_readable()) return false;
  self.accepted_ = self.acceptor_->try_accept();
  return self.accepted_.error != EAGAIN;
}

Accepted Acceptor::try_accept() {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  auto* raw = reinterpret_cast<sockaddr*>(&storage);
  // A client that left again before we came is not an error of ours.
  int fd = -1;
  do {
    fd = ::accept4(descriptor_.fd(), raw, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  } while (fd < 0 && errno == ECONNABORTED);
  Accepted accepted;
  if (fd < 0) {
    accepted.error = errno;
    if (errno == EAGAIN) descriptor_.drained();
    return accepted;
  }
  accepted.fd = UniqueFd(fd);
  accepted.peer = SocketAddress::from_raw(raw, size);
  return accepted;
}

}  // namespace holdfast::io

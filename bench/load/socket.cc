#include "load/socket.h"

#include <arpa/inet.h>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include "base/check.h"

namespace holdfast::bench {
namespace {

constexpr int kBacklog = 4096;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void switch_on(int fd, int level, int option) {
  const int on = 1;
  check(::setsockopt(fd, level, option, &on, sizeof on) == 0, "setsockopt failed");
}

Moved outcome(ssize_t result) {
  if (result > 0) return {Transfer::moved, static_cast<std::size_t>(result)};
  if (result == 0) return {Transfer::ended, 0};
  if (errno == EAGAIN || errno == EINTR) return {Transfer::later, 0};
  return {Transfer::failed, 0};
}

}  // namespace

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = other.release();
  }
  return *this;
}

void Socket::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

int Socket::release() { return std::exchange(fd_, -1); }

Socket listen_on(std::uint16_t port) {
  Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  check(socket.open(), "socket failed");
  switch_on(socket.fd(), SOL_SOCKET, SO_REUSEADDR);
  const sockaddr_in address = loopback(port);
  if (::bind(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return Socket{};
  if (::listen(socket.fd(), kBacklog) != 0) return Socket{};
  return socket;
}

Socket accept_from(const Socket& listening) {
  Socket socket(::accept4(listening.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (socket.open()) switch_on(socket.fd(), IPPROTO_TCP, TCP_NODELAY);
  return socket;
}

Socket connect_to(std::uint16_t port) {
  Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  check(socket.open(), "socket failed: is the limit of open files too low?");
  switch_on(socket.fd(), IPPROTO_TCP, TCP_NODELAY);
  const sockaddr_in address = loopback(port);
  const int result = ::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (result != 0 && errno != EINPROGRESS) return Socket{};
  return socket;
}

int connect_error(const Socket& socket) {
  int error = 0;
  socklen_t size = sizeof error;
  check(::getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &error, &size) == 0, "getsockopt failed");
  return error;
}

Moved send_some(const Socket& socket, std::string_view bytes) {
  return outcome(::send(socket.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
}

Moved receive_some(const Socket& socket, std::span<char> into) {
  return outcome(::recv(socket.fd(), into.data(), into.size(), 0));
}

Moved skip_some(const Socket& socket, std::size_t bytes) {
  return outcome(::recv(socket.fd(), nullptr, bytes, MSG_TRUNC));
}

}  // namespace holdfast::bench

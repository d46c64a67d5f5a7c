#include "io/handover.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/socket_address.h"

namespace holdfast::io {
namespace {

constexpr std::size_t kNameBytesMax = 256;
constexpr std::size_t kSocketsMax = 100'000;  // of a list that never ends
constexpr int kPatienceMs = 1000;             // with a successor that reads nothing else but this

std::unexpected<Error> failed(const std::string& doing) {
  return fail(code_from_errno(errno), Side::local, doing + ": " + std::strerror(errno));
}

UniqueFd new_socket(int flags) { return UniqueFd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0)); }

// 0 when there is none.
ino_t file_at(const std::string& path) {
  struct stat seen{};
  return ::lstat(path.c_str(), &seen) == 0 ? seen.st_ino : 0;
}

// root may take over for others, others only for themselves.
bool may_have_our_sockets(int connection) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == 0 || peer.uid == ::geteuid();
}

// A message of a name with room for one descriptor beside it.
struct Letter {
  std::array<char, kNameBytesMax> name{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> beside{};
  iovec piece{};
  msghdr message{};

  explicit Letter(std::size_t bytes) {
    piece = {.iov_base = name.data(), .iov_len = bytes};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
  }
  void make_room_for_descriptor() {
    message.msg_control = beside.data();
    message.msg_controllen = beside.size();
  }
};

bool send_one(int connection, const std::string& name, int fd) {
  Letter letter(std::min(name.size(), kNameBytesMax - 1) + 1);  // with its zero: a message is never empty
  std::memcpy(letter.name.data(), name.data(), letter.piece.iov_len - 1);
  if (fd >= 0) {
    letter.make_room_for_descriptor();
    cmsghdr* header = CMSG_FIRSTHDR(&letter.message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  }
  while (::sendmsg(connection, &letter.message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    pollfd room{.fd = connection, .events = POLLOUT, .revents = 0};
    if (errno != EAGAIN || ::poll(&room, 1, kPatienceMs) <= 0) return false;
  }
  return true;
}

// The next socket of the list; one without a descriptor ends it.
Result<NamedSocket> receive_one(int connection) {
  Letter letter(kNameBytesMax);
  letter.make_room_for_descriptor();
  const ssize_t got = ::recvmsg(connection, &letter.message, MSG_CMSG_CLOEXEC);
  if (got < 0 && errno == EAGAIN) {
    return fail(Code::timed_out, Side::local, "the running process does not hand over its sockets");
  }
  if (got < 0) return failed("receive a socket");
  if (got == 0) {
    return fail(Code::denied, Side::local, "the running process refused to hand over its sockets (another user's?)");
  }
  NamedSocket socket{std::string(letter.name.data(), static_cast<std::size_t>(got) - 1), {}};
  const cmsghdr* header = CMSG_FIRSTHDR(&letter.message);
  if (header != nullptr && header->cmsg_type == SCM_RIGHTS) {
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
    socket.fd = UniqueFd(fd);
  }
  return socket;
}

}  // namespace

// Bound beside it, then renamed: there is no moment in which nobody is at `path`.
Result<Rendezvous> listen_for_successor(const std::string& path) {
  const std::string beside = path + "." + std::to_string(::getpid());
  Result<SocketAddress> address = SocketAddress::from_unix(beside);
  if (!address) return pass(address, "listen for a successor");
  Rendezvous here{new_socket(SOCK_NONBLOCK), path};
  ::unlink(beside.c_str());
  if (::bind(here.socket.get(), address->raw(), address->size()) != 0) return failed("bind " + beside);
  constexpr int kBacklog = 8;
  here.file = file_at(beside);
  if (::chmod(beside.c_str(), S_IRUSR | S_IWUSR) != 0 || ::listen(here.socket.get(), kBacklog) != 0 ||
      std::rename(beside.c_str(), path.c_str()) != 0) {
    const auto error = failed("listen on " + path);
    ::unlink(beside.c_str());
    return error;
  }
  return here;
}

void Rendezvous::leave() const {
  if (file_at(path) == file) ::unlink(path.c_str());
}

Result<> send_sockets(const UniqueFd& connection, std::span<const NamedSocket> sockets) {
  if (!may_have_our_sockets(connection.get())) {
    return fail(Code::denied, Side::local, "a process of another user asked for our sockets");
  }
  for (const NamedSocket& socket : sockets) {
    if (!send_one(connection.get(), socket.name, socket.fd.get())) return failed("hand over a socket");
  }
  if (!send_one(connection.get(), "", -1)) return failed("hand over the sockets");
  return {};
}

Result<std::optional<Predecessor>> ask_predecessor(const std::string& path, Duration patience) {
  const Result<SocketAddress> address = SocketAddress::from_unix(path);
  if (!address) return fail(address.error().code, Side::local, address.error().what);
  Predecessor predecessor{new_socket(0), {}};
  const int fd = predecessor.connection.get();
  const timeval wait{.tv_sec = patience / 1s, .tv_usec = (patience % 1s) / 1us};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  if (::connect(fd, address->raw(), address->size()) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED) return std::nullopt;
    return failed("connect to the running process at " + path);
  }
  while (predecessor.sockets.size() < kSocketsMax) {
    Result<NamedSocket> socket = receive_one(fd);
    if (!socket) return pass(socket, "take over at " + path);
    if (!socket->fd) break;
    predecessor.sockets.push_back(std::move(*socket));
  }
  return predecessor;
}

}  // namespace holdfast::io

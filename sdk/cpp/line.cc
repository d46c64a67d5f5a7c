#include "line.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "clocks.h"

namespace holdfast::sdk {
namespace {

constexpr std::size_t kHeadBytesMax = std::size_t{16} * 1024;
constexpr std::size_t kBodyBytesMax = std::size_t{16} * 1024 * 1024;
constexpr std::string_view kUnix = "unix:";

/// The value of a field of a head; empty if there is none.
std::string_view field_of(std::string_view head, std::string_view name) {
  for (std::string_view line : split(head, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos && iequals(line.substr(0, colon), name)) return trim(line.substr(colon + 1));
  }
  return {};
}

int begin_connecting(int family, const sockaddr* address, socklen_t size) {
  const int fd = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  if (::connect(fd, address, size) == 0 || errno == EINPROGRESS) return fd;
  ::close(fd);
  return -1;
}

int connect_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return -1;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  return begin_connecting(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

// A name may have several addresses ("localhost": ::1 and 127.0.0.1): each attempt takes the next one.
int connect_host(const std::string& api, unsigned attempt) {
  const std::size_t colon = api.rfind(':');
  if (colon == std::string::npos) return -1;
  std::string host = api.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), api.c_str() + colon + 1, &hints, &found) != 0) return -1;
  unsigned count = 0;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) ++count;
  const addrinfo* chosen = found;
  for (unsigned i = 0; i < attempt % count; ++i) chosen = chosen->ai_next;
  const int fd = begin_connecting(chosen->ai_family, chosen->ai_addr, chosen->ai_addrlen);
  ::freeaddrinfo(found);
  return fd;
}

}  // namespace

void Line::hang_up() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

bool Line::wait_for(short events, Instant deadline) {
  while (true) {
    pollfd waiting{fd_, events, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(kTick / 1ms));
    if (!meanwhile_()) return false;
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
    if (read_clock() >= deadline) return false;
  }
}

bool Line::dial(Instant deadline) {
  if (fd_ >= 0) return true;
  fd_ = api_.starts_with(kUnix) ? connect_unix(api_.substr(kUnix.size())) : connect_host(api_, failed_dials_);
  ++failed_dials_;
  if (fd_ < 0 || !wait_for(POLLOUT, deadline)) return false;
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) return false;
  --failed_dials_;
  return true;
}

bool Line::send_all(const std::string& bytes, Instant deadline) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t more = ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (more > 0) {
      sent += static_cast<std::size_t>(more);
    } else if (errno != EAGAIN || !wait_for(POLLOUT, deadline)) {
      return false;
    }
  }
  return true;
}

std::optional<Line::Answer> Line::receive(Instant deadline) {
  constexpr std::string_view kEnd = "\r\n\r\n";
  std::string received;
  std::size_t head_end = std::string::npos;
  std::size_t length = 0;
  Answer answer;
  while (head_end == std::string::npos || received.size() < head_end + length) {
    if (!wait_for(POLLIN, deadline)) return std::nullopt;
    char room[16384];
    const ssize_t got = ::recv(fd_, room, sizeof room, 0);
    if (got < 0 && errno == EAGAIN) continue;
    if (got <= 0) return std::nullopt;
    received.append(room, static_cast<std::size_t>(got));
    if (head_end != std::string::npos) continue;
    const std::size_t end = received.find(kEnd);
    if (end == std::string::npos) {
      if (received.size() > kHeadBytesMax) return std::nullopt;
      continue;
    }
    const std::string_view head = std::string_view(received).substr(0, end);
    if (!head.starts_with("HTTP/1.1 ") || head.size() < 12) return std::nullopt;
    answer.status = parse_number<unsigned short>(head.substr(9, 3)).value_or(0);
    answer.etag = field_of(head, "etag");
    const bool has_body = answer.status != 304;
    const auto bytes = has_body ? parse_number<std::size_t>(field_of(head, "content-length")) : 0;
    if (!bytes || *bytes > kBodyBytesMax) return std::nullopt;
    length = *bytes;
    head_end = end + kEnd.size();
  }
  answer.body = received.substr(head_end, length);
  return answer;
}

std::optional<Line::Answer> Line::ask(const std::string& target, const std::string& known_etag, Instant deadline) {
  const std::string host = api_.starts_with(kUnix) ? "localhost" : api_;
  std::string request = "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n";
  if (!known_etag.empty()) request += "If-None-Match: " + known_etag + "\r\n";
  request += "\r\n";
  const Instant connect_by = std::min(deadline, read_clock() + 1s);
  std::optional<Answer> answer;
  if (dial(connect_by) && send_all(request, deadline)) answer = receive(deadline);
  if (!answer) hang_up();
  return answer;
}

}  // namespace holdfast::sdk

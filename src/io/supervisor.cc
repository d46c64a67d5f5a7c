#include "io/supervisor.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace holdfast::io {
namespace {

constexpr int kFirstFd = 3;  // SD_LISTEN_FDS_START
constexpr long kSocketsMax = 1024;

std::optional<long> number(const char* name) {
  const char* text = std::getenv(name);
  if (text == nullptr) return std::nullopt;
  const std::string_view view(text);
  long value = 0;
  const auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), value);
  if (error != std::errc{} || end != view.data() + view.size() || value < 0) return std::nullopt;
  return value;
}

bool meant_for_us(const char* name) {
  const std::optional<long> pid = number(name);
  return !pid || *pid == ::getpid();
}

}  // namespace

std::vector<NamedSocket> sockets_of_supervisor() {
  std::vector<NamedSocket> sockets;
  const std::optional<long> count = number("LISTEN_FDS");
  if (!count || !number("LISTEN_PID") || !meant_for_us("LISTEN_PID")) return sockets;
  const char* text = std::getenv("LISTEN_FDNAMES");
  std::string_view names = text == nullptr ? "" : text;
  for (int fd = kFirstFd; fd < kFirstFd + std::min(*count, kSocketsMax); ++fd) {
    const std::string_view name = names.substr(0, names.find(':'));
    names.remove_prefix(std::min(names.size(), name.size() + 1));
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    sockets.push_back({std::string(name), UniqueFd(fd)});
  }
  for (const char* name : {"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"}) ::unsetenv(name);
  return sockets;
}

void tell_supervisor(const std::string& state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || (path[0] != '/' && path[0] != '@')) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t length = std::strlen(path);
  if (length >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = '\0';  // the abstract namespace, unix(7)
  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  // Whoever does not listen any more misses nothing that we could mend.
  (void)!::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
                  size);
}

std::optional<Duration> watchdog_interval() {
  const std::optional<long> interval_us = number("WATCHDOG_USEC");
  if (!interval_us || *interval_us == 0 || !meant_for_us("WATCHDOG_PID")) return std::nullopt;
  return std::chrono::microseconds(*interval_us) / 2;  // sd_watchdog_enabled(3): half of it is a good habit
}

}  // namespace holdfast::io

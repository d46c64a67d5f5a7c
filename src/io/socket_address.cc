#include "io/socket_address.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cstddef>
#include <cstring>

namespace holdfast::io {

Result<SocketAddress> SocketAddress::from_ip(std::string_view host, std::uint16_t port) {
  SocketAddress address;
  const std::string text(host);
  if (::inet_pton(AF_INET, text.c_str(), &address.storage_.v4.sin_addr) == 1) {
    address.storage_.v4.sin_family = AF_INET;
    address.storage_.v4.sin_port = htons(port);
    address.size_ = sizeof(sockaddr_in);
    return address;
  }
  address.storage_.v6 = {};
  if (::inet_pton(AF_INET6, text.c_str(), &address.storage_.v6.sin6_addr) == 1) {
    address.storage_.v6.sin6_family = AF_INET6;
    address.storage_.v6.sin6_port = htons(port);
    address.size_ = sizeof(sockaddr_in6);
    return address;
  }
  return fail(Code::invalid, Side::local, "\"" + text + "\" is not an IP address");
}

Result<SocketAddress> SocketAddress::from_unix(std::string_view path) {
  SocketAddress address;
  sockaddr_un& local = address.storage_.local;
  if (path.empty() || path.size() >= sizeof local.sun_path) {
    return fail(Code::invalid, Side::local, "a Unix socket path has 1 to 107 bytes: \"" + std::string(path) + "\"");
  }
  local = {};
  local.sun_family = AF_UNIX;
  std::memcpy(local.sun_path, path.data(), path.size());
  address.size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

SocketAddress SocketAddress::from_raw(const sockaddr* raw, socklen_t size) {
  SocketAddress address;
  address.size_ = std::min<socklen_t>(size, sizeof(Storage));
  std::memcpy(&address.storage_, raw, address.size_);
  return address;
}

std::uint16_t SocketAddress::port() const {
  switch (family()) {
    case AF_INET: return ntohs(storage_.v4.sin_port);
    case AF_INET6: return ntohs(storage_.v6.sin6_port);
    default: return 0;
  }
}

std::string_view SocketAddress::ip_bytes() const {
  switch (family()) {
    case AF_INET: return {reinterpret_cast<const char*>(&storage_.v4.sin_addr), 4};
    case AF_INET6: return {reinterpret_cast<const char*>(&storage_.v6.sin6_addr), 16};
    default: return {};
  }
}

bool SocketAddress::operator==(const SocketAddress& other) const {
  return size_ == other.size_ && std::memcmp(&storage_, &other.storage_, size_) == 0;
}

std::string ip_to_string(const SocketAddress& address) {
  const std::string_view bytes = address.ip_bytes();
  if (bytes.empty()) return "unix:";
  char text[INET6_ADDRSTRLEN] = "";
  ::inet_ntop(address.family(), bytes.data(), text, sizeof text);
  return text;
}

std::string to_string(const SocketAddress& address) {
  if (address.is_unix()) {
    constexpr socklen_t kPathAt = offsetof(sockaddr_un, sun_path);
    if (address.size() <= kPathAt) return "unix:";
    return std::string("unix:") + reinterpret_cast<const sockaddr_un*>(address.raw())->sun_path;
  }
  const std::string port = ":" + std::to_string(address.port());
  if (address.family() == AF_INET6) return "[" + ip_to_string(address) + "]" + port;
  return ip_to_string(address) + port;
}

namespace {

SocketAddress ask(int fd, int (*question)(int, sockaddr*, socklen_t*)) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  auto* raw = reinterpret_cast<sockaddr*>(&storage);
  if (question(fd, raw, &size) != 0) return {};
  return SocketAddress::from_raw(raw, size);
}

}  // namespace

SocketAddress local_address(int fd) {
  return ask(fd, [](int f, sockaddr* a, socklen_t* n) { return ::getsockname(f, a, n); });
}

SocketAddress peer_address(int fd) {
  return ask(fd, [](int f, sockaddr* a, socklen_t* n) { return ::getpeername(f, a, n); });
}

}  // namespace holdfast::io

// The socket calls that origin and clients need. What cannot go wrong on a healthy machine ends the program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace holdfast::bench {

/// Owns a descriptor.
class Socket {
 public:
  explicit Socket(int fd = -1) : fd_(fd) {}
  ~Socket() { close(); }
  Socket(Socket&& other) noexcept : fd_(other.release()) {}
  Socket& operator=(Socket&& other) noexcept;

  int fd() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  void close();

 private:
  int release();

  int fd_;
};

/// A listening socket on 127.0.0.1, or one that is not open() if the port is taken.
Socket listen_on(std::uint16_t port);
/// The next connection, if one waits.
Socket accept_from(const Socket& listening);
/// A connection to 127.0.0.1 that is being made; not open() if the kernel refused at once.
Socket connect_to(std::uint16_t port);
/// errno of a connection attempt that has ended; 0: it is up.
int connect_error(const Socket& socket);

/// What a send or receive came to: bytes, nothing now, the end (of receiving), or gone.
enum class Transfer : std::uint8_t { moved, later, ended, failed };
struct Moved {
  Transfer what = Transfer::failed;
  std::size_t bytes = 0;
};
Moved send_some(const Socket& socket, std::string_view bytes);
Moved receive_some(const Socket& socket, std::span<char> into);
/// Receives and forgets up to `bytes`, without copying them here.
Moved skip_some(const Socket& socket, std::size_t bytes);

}  // namespace holdfast::bench

#include "io/stream.h"

#include <cerrno>
#include <cstring>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "io/loop.h"

namespace holdfast::io {

// ReadSome

ReadSome::ReadSome(Stream& stream, std::span<char> into, Deadline deadline)
    : Operation(&ReadSome::attempt), stream_(&stream), into_(into), deadline_(deadline) {}

bool ReadSome::await_ready() { return attempt(*this); }

void ReadSome::await_suspend(std::coroutine_handle<> waiter) {
  stream_->descriptor().wait(*this, Descriptor::Direction::read, waiter, deadline_);
}

bool ReadSome::attempt(Operation& operation) {
  auto& self = static_cast<ReadSome&>(operation);
  const Moved moved = self.stream_->try_read(self.into_);
  if (moved.error == EAGAIN) return false;
  self.bytes_ = moved.bytes;
  self.error = moved.error;
  return true;
}

// WriteAll

WriteAll::WriteAll(Stream& stream, std::span<const char> bytes, Deadline deadline)
    : Operation(&WriteAll::attempt), stream_(&stream), left_(bytes), deadline_(deadline) {}

bool WriteAll::await_ready() { return attempt(*this); }

void WriteAll::await_suspend(std::coroutine_handle<> waiter) {
  stream_->descriptor().wait(*this, Descriptor::Direction::write, waiter, deadline_);
}

bool WriteAll::attempt(Operation& operation) {
  auto& self = static_cast<WriteAll&>(operation);
  while (!self.left_.empty()) {
    const Moved moved = self.stream_->try_write(self.left_);
    if (moved.error == EAGAIN) return false;
    if (!moved.ok()) {
      self.error = moved.error;
      return true;
    }
    self.written_ += moved.bytes;
    self.left_ = self.left_.subspan(moved.bytes);
  }
  return true;
}

// Readable

Readable::Readable(Stream& stream, Deadline deadline)
    : Operation(&Readable::attempt), stream_(&stream), deadline_(deadline) {}

bool Readable::await_ready() { return attempt(*this); }

void Readable::await_suspend(std::coroutine_handle<> waiter) {
  stream_->descriptor().wait(*this, Descriptor::Direction::read, waiter, deadline_);
}

bool Readable::attempt(Operation& operation) {
  auto& self = static_cast<Readable&>(operation);
  return self.stream_->descriptor().maybe_readable();
}

// Connected

Connected::Connected(Stream& stream, Deadline deadline)
    : Operation(&Connected::attempt), stream_(&stream), deadline_(deadline) {}

bool Connected::await_ready() { return attempt(*this); }

void Connected::await_suspend(std::coroutine_handle<> waiter) {
  stream_->descriptor().wait(*this, Descriptor::Direction::write, waiter, deadline_);
}

bool Connected::attempt(Operation& operation) {
  auto& self = static_cast<Connected&>(operation);
  Descriptor& descriptor = self.stream_->descriptor();
  if (!descriptor.maybe_writable()) return false;
  socklen_t size = sizeof self.error;
  if (::getsockopt(descriptor.fd(), SOL_SOCKET, SO_ERROR, &self.error, &size) != 0) self.error = errno;
  return true;
}

// Stream

Result<std::unique_ptr<Stream>> Stream::start_connect(Loop& loop, const SocketAddress& to) {
  UniqueFd fd(::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) {
    return fail(code_from_errno(errno), Side::local, "socket for " + to_string(to) + ": " + std::strerror(errno));
  }
  if (!to.is_unix()) set_no_delay(fd.get());
  const bool established = ::connect(fd.get(), to.raw(), to.size()) == 0;
  if (!established && errno != EINPROGRESS) {
    return fail(code_from_errno(errno), Side::upstream, "connect " + to_string(to) + ": " + std::strerror(errno));
  }
  auto stream = std::make_unique<Stream>(loop, std::move(fd));
  if (!established) stream->descriptor().filled();
  stream->descriptor().drained();
  return stream;
}

Moved Stream::try_read(std::span<char> into) {
  if (descriptor_.reading_stopped()) return Moved{0, ECANCELED};
  if (!descriptor_.maybe_readable()) return Moved{0, EAGAIN};
  const ssize_t got = ::recv(fd(), into.data(), into.size(), 0);
  if (got < 0) {
    if (errno == EINTR) errno = EAGAIN;  // the flag stays set; the caller asks again
    if (errno == EAGAIN) descriptor_.drained();
    return Moved{0, errno};
  }
  if (static_cast<std::size_t>(got) < into.size()) descriptor_.drained();
  return Moved{static_cast<std::size_t>(got), 0};
}

Moved Stream::try_write(std::span<const char> bytes) {
  if (descriptor_.cancelled()) return Moved{0, ECANCELED};
  if (!descriptor_.maybe_writable()) return Moved{0, EAGAIN};
  const ssize_t sent = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent < 0) {
    if (errno == EAGAIN) descriptor_.filled();
    return Moved{0, errno};
  }
  if (static_cast<std::size_t>(sent) < bytes.size()) descriptor_.filled();
  return Moved{static_cast<std::size_t>(sent), 0};
}

void Stream::end_writing() { ::shutdown(fd(), SHUT_WR); }

void Stream::reset_on_close() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

bool Stream::quiet() {
  if (descriptor_.peer_hung_up() || descriptor_.cancelled()) return false;
  if (!descriptor_.maybe_readable()) return true;
  // A read that filled its buffer exactly left the flag set: look before throwing a good connection away.
  char byte = 0;
  const ssize_t got = ::recv(fd(), &byte, 1, MSG_PEEK);
  if (got >= 0 || errno != EAGAIN) return false;
  descriptor_.drained();
  return true;
}

void set_no_delay(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace holdfast::io

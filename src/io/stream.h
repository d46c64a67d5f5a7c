// Stream: a connected byte stream on a loop, and the waits on it as plain awaiters (no coroutine of their own).
//
// The face is neutral: bytes in, bytes out, a deadline on everything that waits. try_read() and try_write() are the
// only two places that know how bytes are moved; an encrypted stream differs there and nowhere else.
//
// Results are errno-shaped (Moved) because this is the hot path; the layers above turn them into Results with words.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "base/result.h"
#include "io/descriptor.h"
#include "io/socket_address.h"
#include "io/unique_fd.h"

namespace holdfast::io {

/// What an operation moved. Bytes may be there beside an error: they were moved before it.
struct [[nodiscard]] Moved {
  std::size_t bytes = 0;
  int error = 0;  ///< errno; ETIMEDOUT: the deadline passed; ECANCELED: the stream was cancelled

  bool ok() const { return error == 0; }
  /// The peer ended its direction (reads only).
  bool ended() const { return error == 0 && bytes == 0; }
};

class Stream;

/// Reads once, as soon as anything is there.
class ReadSome : public Operation {
 public:
  ReadSome(Stream& stream, std::span<char> into, Deadline deadline);
  bool await_ready();
  void await_suspend(std::coroutine_handle<> waiter);
  Moved await_resume() const { return Moved{bytes_, error}; }

 private:
  static bool attempt(Operation& operation);
  Stream* stream_;
  std::span<char> into_;
  Deadline deadline_;
  std::size_t bytes_ = 0;
};

/// Writes until everything is written.
class WriteAll : public Operation {
 public:
  WriteAll(Stream& stream, std::span<const char> bytes, Deadline deadline);
  bool await_ready();
  void await_suspend(std::coroutine_handle<> waiter);
  Moved await_resume() const { return Moved{written_, error}; }

 private:
  static bool attempt(Operation& operation);
  Stream* stream_;
  std::span<const char> left_;
  Deadline deadline_;
  std::size_t written_ = 0;
};

/// Waits until a read would not have to wait, holding no buffer. The error is 0 when there is something to read (or an
/// end to see).
class Readable : public Operation {
 public:
  Readable(Stream& stream, Deadline deadline);
  bool await_ready();
  void await_suspend(std::coroutine_handle<> waiter);
  int await_resume() const { return error; }

 private:
  static bool attempt(Operation& operation);
  Stream* stream_;
  Deadline deadline_;
};

/// Waits until a connection attempt has ended. The error is 0 when it is established.
class Connected : public Operation {
 public:
  Connected(Stream& stream, Deadline deadline);
  bool await_ready();
  void await_suspend(std::coroutine_handle<> waiter);
  int await_resume() const { return error; }

 private:
  static bool attempt(Operation& operation);
  Stream* stream_;
  Deadline deadline_;
};

class Stream : Pinned {
 public:
  Stream(Loop& loop, UniqueFd fd) : descriptor_(loop, fd.release()) {}

  /// Starts connecting; await connected() next.
  /// Errors: the socket could not be made, or the kernel refused at once.
  static Result<std::unique_ptr<Stream>> start_connect(Loop& loop, const SocketAddress& to);

  Connected connected(Deadline deadline) { return {*this, deadline}; }
  Readable readable(Deadline deadline) { return {*this, deadline}; }
  /// The same for who will begin new work: it stands in line behind what is under way (Loop).
  Readable readable_in_line(Deadline deadline) {
    Readable wait(*this, deadline);
    wait.begins = true;
    return wait;
  }
  ReadSome read_some(std::span<char> into, Deadline deadline) { return {*this, into, deadline}; }
  WriteAll write_all(std::span<const char> bytes, Deadline deadline) { return {*this, bytes, deadline}; }

  /// Moves what can be moved now; error EAGAIN when nothing can.
  Moved try_read(std::span<char> into);
  Moved try_write(std::span<const char> bytes);

  /// Ends our direction; the peer sees the end after what was written.
  void end_writing();
  /// Makes the close abortive: the peer sees a reset, and nothing lingers here.
  void reset_on_close();
  /// Ends all waits, now and in future, with ECANCELED.
  void cancel() { descriptor_.cancel(); }
  /// Ends the waiting read and all later ones with ECANCELED, until resume_reading(); writes go on.
  void stop_reading() { descriptor_.stop_reading(); }
  void resume_reading() { descriptor_.resume_reading(); }

  /// True when nothing has arrived and nobody hung up: an idle connection that may carry another request.
  bool quiet();

  Descriptor& descriptor() { return descriptor_; }
  int fd() const { return descriptor_.fd(); }
  Loop& loop() const { return descriptor_.loop(); }

 private:
  Descriptor descriptor_;
};

/// For TCP sockets: send small messages at once. Unix sockets ignore it.
void set_no_delay(int fd);

}  // namespace holdfast::io

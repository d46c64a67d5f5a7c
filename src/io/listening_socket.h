// Listening sockets: made by the control thread, accepted from by every loop.
//
// On TCP each loop has a socket of its own on the same address (SO_REUSEPORT) and the kernel spreads connections over
// them; a Unix socket cannot be bound twice, so its loops share duplicates of one.
//
// SO_REUSEPORT would also let another process of the same user in, and each of the two would get a part of the
// connections without noticing. So the first socket of a group binds without it, which the kernel refuses while anybody
// listens there, and only then becomes one that can be joined. Connections in TIME_WAIT are no obstacle (SO_REUSEADDR).
#pragma once

#include <cstddef>
#include <vector>

#include "base/result.h"
#include "io/descriptor.h"
#include "io/socket_address.h"
#include "io/unique_fd.h"

namespace holdfast::io {

inline constexpr int kListenBacklog = 4096;

/// Binds and listens, alone. A left-over Unix socket file that nobody listens on is replaced.
/// Errors: Code::exists when the address is taken, Code::denied for ports that need rights, with what to do about it.
Result<UniqueFd> listen_on(const SocketAddress& address);

/// Who else may listen on the port already.
enum class Company : unsigned char {
  nobody,
  ourselves,  ///< this process, with sockets of a group: they are joined, and a stranger would not be noticed
};

/// As many sockets on one address as there are to accept from it. With port 0 the system chooses one for all.
/// Errors: as listen_on(); then none is left open.
Result<std::vector<UniqueFd>> listen_as_group(const SocketAddress& address, std::size_t count, Company company);

/// A second handle of the same socket.
Result<UniqueFd> duplicate(int fd);

struct Accepted {
  UniqueFd fd;
  SocketAddress peer;
  int error = 0;  ///< errno; ECANCELED when the acceptor was cancelled; EMFILE and its like when files ran out
};

class Acceptor;

/// Waits for one connection.
class AcceptOne : public Operation {
 public:
  explicit AcceptOne(Acceptor& acceptor);
  bool await_ready();
  void await_suspend(std::coroutine_handle<> waiter);
  Accepted await_resume();

 private:
  static bool attempt(Operation& operation);
  Acceptor* acceptor_;
  Accepted accepted_;
};

class Acceptor : Pinned {
 public:
  /// Other loops, and other processes, may have handles of the same socket.
  Acceptor(Loop& loop, UniqueFd fd);

  /// Waits without a deadline: only cancel() ends it.
  AcceptOne accept() { return AcceptOne(*this); }
  /// Ends the wait with ECANCELED.
  void cancel() { descriptor_.cancel(); }
  /// Takes one connection that is waiting already; error EAGAIN when there is none. Works after cancel(): what the
  /// kernel accepted for us is served before the socket closes.
  Accepted try_accept();

  Descriptor& descriptor() { return descriptor_; }

 private:
  Descriptor descriptor_;
};

}  // namespace holdfast::io

// Handing listening sockets from one process to the next over a Unix socket (SCM_RIGHTS, unix(7)), so that the address
// never stops listening: the sockets are the same open files, and what waits in their queues waits on.
//
//   the old one: listen_for_successor(path) … accept … send_sockets(connection, …) … the successor says kTaken … drain
//   the new one: ask_predecessor(path) … serve … tell kTaken
//
// Both sides are of one user: the path lies in a folder that only that user may enter, and the peer's credentials are
// looked at. One message a socket (SOCK_SEQPACKET); an empty name ends the list.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <sys/types.h>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "io/unique_fd.h"

namespace holdfast::io {

/// A listening socket with the name of its listener.
struct NamedSocket {
  std::string name;
  UniqueFd fd;
};

/// What a successor says when the sockets are served by it.
inline constexpr char kTaken = 't';

/// A socket bound at a path, and which file that is.
struct Rendezvous {
  UniqueFd socket;
  std::string path;
  ino_t file = 0;

  /// Removes the path, unless somebody else is bound there by now.
  void leave() const;
};

/// Binds at `path`, in place of whoever is bound there: they are still reachable for those who have connected.
/// Errors: the folder cannot be used, the path is longer than about 100 bytes.
Result<Rendezvous> listen_for_successor(const std::string& path);

/// Blocks only while the peer, who does nothing else, has to make room. A peer of another user gets nothing.
/// Errors: Code::denied for that peer, else whatever the kernel said.
Result<> send_sockets(const UniqueFd& connection, std::span<const NamedSocket> sockets);

/// The connection to who is bound at `path`, and its sockets. Waits, in the kernel, for `patience` at most.
struct Predecessor {
  UniqueFd connection;
  std::vector<NamedSocket> sockets;
};
/// None when nobody is there.
/// Errors: Code::timed_out, Code::denied, Code::protocol when the sockets did not come.
Result<std::optional<Predecessor>> ask_predecessor(const std::string& path, Duration patience);

}  // namespace holdfast::io

// HandedSockets: listening sockets that were handed to this process, by its predecessor or a service manager, and wait
// for whoever would otherwise bind their address.
#pragma once

#include <string>
#include <vector>

#include "io/handover.h"
#include "io/socket_address.h"

namespace holdfast::io {

class HandedSockets {
 public:
  void add(std::vector<NamedSocket> sockets);

  /// All that listen on `address`, whatever they are called; with port 0, those of that name on any port of its host.
  std::vector<UniqueFd> take(const std::string& name, const SocketAddress& address);

  /// Closes what nobody took. Returns "NAME at ADDRESS" of each.
  std::vector<std::string> drop_rest();

 private:
  std::vector<NamedSocket> sockets_;
};

}  // namespace holdfast::io

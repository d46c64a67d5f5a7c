#include "io/handed_sockets.h"

#include <iterator>

namespace holdfast::io {

void HandedSockets::add(std::vector<NamedSocket> sockets) {
  std::move(sockets.begin(), sockets.end(), std::back_inserter(sockets_));
}

std::vector<UniqueFd> HandedSockets::take(const std::string& name, const SocketAddress& address) {
  const bool any_port = !address.is_unix() && address.port() == 0;
  std::vector<UniqueFd> taken;
  std::vector<NamedSocket> rest;
  for (NamedSocket& socket : sockets_) {
    const SocketAddress bound = local_address(socket.fd.get());
    const bool wanted = any_port ? socket.name == name && bound.ip_bytes() == address.ip_bytes() : bound == address;
    if (wanted) {
      taken.push_back(std::move(socket.fd));
    } else {
      rest.push_back(std::move(socket));
    }
  }
  sockets_ = std::move(rest);
  return taken;
}

std::vector<std::string> HandedSockets::drop_rest() {
  std::vector<std::string> all;
  for (const NamedSocket& socket : sockets_) {
    all.push_back(socket.name + " at " + to_string(local_address(socket.fd.get())));
  }
  sockets_.clear();
  return all;
}

}  // namespace holdfast::io

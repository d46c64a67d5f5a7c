// Machines: a network of its own for each member of a cluster, so that they can be cut off from each other for real.
// Each is a network namespace with two cables into a hub, which is where we are: one for its peers, one for its
// clients.
//
// Needs root. Nothing outside of the namespaces made here is touched, and they go with the object.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/pinned.h"

namespace holdfast::sim {

class Machines : Pinned {
 public:
  /// Whether this process may make namespaces.
  static bool allowed();

  /// Moves the calling thread, and what it starts from now on, into the hub.
  explicit Machines(std::size_t count);
  ~Machines();

  /// What a command line begins with to run on a machine.
  std::vector<std::string> on(std::size_t machine) const;
  std::string client_address(std::size_t machine) const;
  std::string peer_address(std::size_t machine) const;

  /// Its peers do not reach it, nor it them; its clients do.
  void cut_from_peers(std::size_t machine) const;
  /// Nobody reaches it.
  void cut_from_all(std::size_t machine) const;
  void mend(std::size_t machine) const;

 private:
  std::string name(std::size_t machine) const { return prefix_ + std::to_string(machine); }
  void add(std::size_t machine) const;

  std::string prefix_;
  std::size_t count_;
};

}  // namespace holdfast::sim

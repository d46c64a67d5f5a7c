// Endpoint: one server of a service, as all loops share it. Its load is counted here, so that every loop sees the same
// number, and it outlives a reload that does not remove it.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "balance/load.h"
#include "base/pinned.h"
#include "io/socket_address.h"

namespace holdfast::upstream {

struct Endpoint : Pinned {
  Endpoint(std::string name_, io::SocketAddress address_, std::uint64_t identity_)
      : name(std::move(name_)), address(address_), identity(identity_) {}

  const std::string name;  ///< as in the file: "10.0.0.1:9001"
  const io::SocketAddress address;
  const std::uint64_t identity;  ///< hash of service and address; the same after a reload

  balance::Load load;

  /// A worker's report on it is on its way to the health keeper: further ones would say nothing new.
  std::atomic<bool> reported = false;
};

}  // namespace holdfast::upstream

// Origin: what stands behind the proxy. It answers each GET with a ready-made answer (bodies.h) and keeps connections
// alive until the other side closes; one receive and one send per small request. It reads heads only, no bodies.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "load/poller.h"
#include "load/socket.h"

namespace holdfast::bench {

class Origin final : public Watched {
 public:
  Origin(Poller& poller, std::uint16_t port);
  ~Origin() override;

  /// False when the port was taken.
  bool listening() const { return socket_.open(); }
  void ready() override;

 private:
  class Visitor;

  void leave(Visitor& visitor);

  Poller& poller_;
  Socket socket_;
  std::unordered_map<Visitor*, std::unique_ptr<Visitor>> visitors_;
};

}  // namespace holdfast::bench

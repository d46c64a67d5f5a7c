// Hold: many connections, each of which has made one request and then keeps still, for as long as someone wants to look
// at what they cost the proxy.
#pragma once

#include <cstdint>
#include <deque>

#include "load/client.h"

namespace holdfast::bench {

class Hold final : public Errand {
 public:
  Hold(Poller& poller_, std::uint16_t port_, std::string_view path, std::size_t connections);

  /// Opens them, a few at a time. False if one of them failed or it took too long.
  bool fill();
  /// Keeps them until standard input ends. Returns how many were lost meanwhile.
  std::size_t keep();

 private:
  static constexpr std::size_t kAtOnce = 64;

  void answered(Client& client) override;
  void failed(Client& client, Failure failure) override;
  void lost() override { ++lost_; }
  void start_next();

  std::deque<Client> clients_;
  std::size_t started_ = 0;
  std::size_t done_ = 0;
  std::size_t lost_ = 0;
  bool failed_ = false;
};

}  // namespace holdfast::bench

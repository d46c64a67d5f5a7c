// Client: one connection towards the proxy, or one after the other. It sends a ready-made request, reads the answer to
// its end, and says whether status and length were what the origin sent. Small answers cost one send and one receive.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "load/poller.h"
#include "load/socket.h"

namespace holdfast::bench {

class Client;

enum class Failure : std::uint8_t { connect, closed, status, framing };
inline constexpr std::string_view kFailureNames[] = {"connect", "closed", "status", "framing"};

/// What all clients of a run have in common, and who hears of their ends.
class Errand {
 public:
  Errand(Poller& poller_, std::uint16_t port_, std::string_view path, bool new_connections_);
  virtual ~Errand() = default;

  /// The client has its whole answer and may begin() again.
  virtual void answered(Client& client) = 0;
  /// It has none, or a wrong one; its connection is closed.
  virtual void failed(Client& client, Failure failure) = 0;
  /// A connection that waits for its next request was closed.
  virtual void lost() = 0;

  Poller& poller;
  const std::uint16_t port;
  const bool new_connections;  ///< every request on a connection of its own
  const std::size_t body_bytes;
  const std::string request;
};

class Client final : public Watched {
 public:
  explicit Client(Errand& errand) : errand_(errand) {}

  /// Sends a request, on a new connection if there is none. Requires: no request is under way.
  /// `scheduled`: when it should have been sent; latency counts from there.
  void begin(Instant scheduled);
  void ready() override;

  Instant scheduled() const { return scheduled_; }
  bool busy() const { return state_ != State::waiting; }

 private:
  enum class State : std::uint8_t { waiting, connecting, reading_head, reading_body, reading_end };

  void send();
  void read();
  void take_head(std::string_view bytes);
  void finish();
  void fail(Failure failure);

  Errand& errand_;
  Socket socket_;
  State state_ = State::waiting;
  Instant scheduled_{};
  std::size_t body_left_ = 0;
  std::string incomplete_;  ///< a head of which only the beginning has come
};

}  // namespace holdfast::bench

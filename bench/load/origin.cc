#include "load/origin.h"

#include <array>
#include <string>
#include <string_view>

#include "load/bodies.h"

namespace holdfast::bench {

// One connection from the proxy.
class Origin::Visitor final : public Watched {
 public:
  Visitor(Origin& origin, Socket socket) : origin_(origin), socket_(std::move(socket)) {}

  const Socket& socket() const { return socket_; }

  void ready() override {
    if (!go_on()) origin_.leave(*this);
  }

 private:
  static constexpr std::string_view kEndOfHead = "\r\n\r\n";
  static constexpr std::size_t kHeadBytesMax = 16 * 1024;

  // Sends what is left, then reads; false: the connection has ended.
  bool go_on() {
    static std::array<char, kHeadBytesMax> shared;
    while (socket_.open()) {
      if (!flush()) return false;
      if (!unsent_.empty()) return true;
      const Moved got = receive_some(socket_, shared);
      if (got.what == Transfer::later) return true;
      if (got.what != Transfer::moved) return false;
      const std::string_view bytes(shared.data(), got.bytes);
      if (!take(bytes)) return false;
      if (got.bytes < shared.size() && unsent_.empty()) return true;
    }
    return true;
  }

  bool take(std::string_view bytes) {
    if (!incomplete_.empty()) {
      incomplete_.append(bytes);
      bytes = incomplete_;
    }
    const std::size_t end = bytes.find(kEndOfHead);
    if (end == std::string_view::npos) {
      if (incomplete_.empty()) incomplete_ = bytes;
      return incomplete_.size() <= kHeadBytesMax;
    }
    if (end + kEndOfHead.size() != bytes.size()) return false;  // pipelined or with a body: not what we measure
    const std::size_t from = bytes.find(' ') + 1;
    unsent_ = answer_to(bytes.substr(from, bytes.find(' ', from) - from));
    incomplete_.clear();
    return flush();
  }

  bool flush() {
    while (!unsent_.empty()) {
      const Moved sent = send_some(socket_, unsent_);
      if (sent.what == Transfer::later) return true;
      if (sent.what != Transfer::moved) return false;
      unsent_.remove_prefix(sent.bytes);
    }
    return true;
  }

  Origin& origin_;
  Socket socket_;
  std::string_view unsent_;
  std::string incomplete_;
};

Origin::Origin(Poller& poller, std::uint16_t port) : poller_(poller), socket_(listen_on(port)) {
  if (socket_.open()) poller_.watch(socket_.fd(), *this);
}

Origin::~Origin() = default;

void Origin::ready() {
  while (true) {
    Socket accepted = accept_from(socket_);
    if (!accepted.open()) return;
    auto visitor = std::make_unique<Visitor>(*this, std::move(accepted));
    poller_.watch(visitor->socket().fd(), *visitor);
    visitors_.emplace(visitor.get(), std::move(visitor));
  }
}

void Origin::leave(Visitor& visitor) {
  const auto found = visitors_.find(&visitor);
  if (found == visitors_.end()) return;  // told of an old edge
  poller_.bury(std::move(found->second));
  visitors_.erase(found);
}

}  // namespace holdfast::bench

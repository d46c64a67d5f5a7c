// A server that answers as a test tells it to, half-broken answers above all. It lives on the loop of the test.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/text.h"
#include "io/listening_socket.h"
#include "io/loop.h"
#include "io/scope.h"
#include "io/stop.h"
#include "io/stream.h"

namespace holdfast::client {

class ScriptedServer : Pinned {
 public:
  enum class Then : unsigned char { keep, close, hold };
  struct Act {
    std::vector<std::string> pieces;  ///< sent one after another, each in a turn of the loop of its own
    Then then = Then::keep;           ///< hold: stay open and read no more
  };
  /// Called with each request, head and body, and how many came before it on all connections.
  using Script = std::function<Act(const std::string& request, std::size_t before)>;

  ScriptedServer(io::Loop& loop, Script script)
      : loop_(loop), script_(std::move(script)), acceptor_(loop, listen()), tasks_(loop) {
    tasks_.add(accept_all());
  }
  ~ScriptedServer() {
    stop_.request();
    acceptor_.cancel();
    while (tasks_.size() != 0) loop_.run_once();
  }

  std::uint16_t port() { return io::local_address(acceptor_.descriptor().fd()).port(); }
  std::string url() { return "http://127.0.0.1:" + std::to_string(port()); }
  std::size_t connections() const { return connections_; }
  std::size_t requests() const { return requests_; }

  static std::string ok(const std::string& body) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  static std::string chunk(const std::string& data) {
    constexpr std::size_t kHexDigits = 8;
    std::string digits(kHexDigits, '0');
    std::size_t left = data.size();
    for (std::size_t i = kHexDigits; i-- > 0; left /= 16) digits[i] = "0123456789abcdef"[left % 16];
    return digits + "\r\n" + data + "\r\n";
  }
  static constexpr const char* kChunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

 private:
  static io::UniqueFd listen() {
    Result<io::SocketAddress> address = io::SocketAddress::from_ip("127.0.0.1", 0);
    check(address.has_value(), "an address");
    Result<io::UniqueFd> socket = io::listen_on(*address);
    check(socket.has_value(), "a free port");
    return std::move(*socket);
  }

  io::Task<> accept_all() {
    while (!stop_.requested()) {
      io::Accepted accepted = co_await acceptor_.accept();
      if (accepted.error != 0) continue;
      ++connections_;
      tasks_.add(serve(std::make_unique<io::Stream>(loop_, std::move(accepted.fd))));
    }
  }

  io::Task<> serve(std::unique_ptr<io::Stream> stream) {
    io::Stream& mine = *stream;
    const io::Stop::Hook end(stop_, [&mine] { mine.cancel(); });
    std::string received;
    std::string piece(std::size_t{64} * 1024, '\0');
    while (true) {
      const std::size_t whole = request_bytes(received);
      if (whole == 0) {
        const io::Moved got = co_await stream->read_some(piece, kNever);
        if (!got.ok() || got.ended()) co_return;
        received.append(piece, 0, got.bytes);
        continue;
      }
      const std::string request = received.substr(0, whole);
      received.erase(0, whole);
      const Act act = script_(request, requests_++);
      for (const std::string& each : act.pieces) {
        const io::Moved sent = co_await stream->write_all(each, kNever);
        if (!sent.ok()) co_return;
        co_await loop_.yield();
      }
      if (act.then == Then::close) co_return;
      if (act.then == Then::hold) co_await io::sleep_until(loop_, kNever, stop_);
    }
  }

  /// 0 while it is not all there.
  static std::size_t request_bytes(const std::string& received) {
    const std::size_t end = received.find("\r\n\r\n");
    if (end == std::string::npos) return 0;
    const std::size_t field = received.find("Content-Length: ");
    std::size_t length = 0;
    if (field < end) {
      const std::size_t digits = field + std::string_view("Content-Length: ").size();
      length = parse_number<std::size_t>(received.substr(digits, received.find('\r', digits) - digits)).value_or(0);
    }
    return received.size() < end + 4 + length ? 0 : end + 4 + length;
  }

  io::Loop& loop_;
  Script script_;
  io::Acceptor acceptor_;
  std::size_t connections_ = 0;
  std::size_t requests_ = 0;
  io::Stop stop_;
  io::Scope tasks_;
};

}  // namespace holdfast::client

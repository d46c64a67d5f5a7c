#include "load/client.h"

#include <array>
#include <charconv>
#include <optional>
#include <strings.h>

#include "base/check.h"
#include "load/bodies.h"

namespace holdfast::bench {
namespace {

constexpr std::size_t kReceiveBytes = 64 * 1024;
std::array<char, kReceiveBytes> receive_buffer;  // one thread, and nothing stays in it between two receives

// What a browser sends: half a kilobyte.
std::string request_for(std::string_view path, bool new_connections) {
  std::string request = "GET ";
  request.append(path).append(" HTTP/1.1\r\nHost: bench.example.com\r\n");
  request.append("User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n");
  request.append("Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8\r\n");
  request.append("Accept-Language: en-GB,en;q=0.7,de;q=0.3\r\nAccept-Encoding: gzip, deflate, br\r\n");
  request.append("Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=1\r\n");
  if (new_connections) request.append("Connection: close\r\n");
  return request.append("\r\n");
}

std::optional<std::size_t> content_length(std::string_view head) {
  constexpr std::string_view kName = "content-length:";
  for (std::size_t end = head.find('\n'); end != std::string_view::npos; end = head.find('\n')) {
    head.remove_prefix(end + 1);
    if (head.size() <= kName.size() || (head[0] | 0x20) != 'c') continue;
    if (::strncasecmp(head.data(), kName.data(), kName.size()) != 0) continue;
    std::string_view value = head.substr(kName.size());
    if (value.starts_with(' ')) value.remove_prefix(1);
    std::size_t number = 0;
    const auto read = std::from_chars(value.data(), value.data() + value.size(), number);
    if (read.ec != std::errc{}) return std::nullopt;
    return number;
  }
  return std::nullopt;
}

}  // namespace

Errand::Errand(Poller& poller_, std::uint16_t port_, std::string_view path, bool new_connections_)
    : poller(poller_),
      port(port_),
      new_connections(new_connections_),
      body_bytes(bench::body_bytes(path).value_or(0)),
      request(request_for(path, new_connections_)) {}

void Client::begin(Instant scheduled) {
  scheduled_ = scheduled;
  if (socket_.open()) {
    send();
    return;
  }
  socket_ = connect_to(errand_.port);
  if (!socket_.open()) return fail(Failure::connect);
  state_ = State::connecting;
  errand_.poller.watch(socket_.fd(), *this);
}

void Client::ready() {
  if (!socket_.open()) return;  // told of an old edge
  switch (state_) {
    case State::connecting:
      if (connect_error(socket_) != 0) return fail(Failure::connect);
      return send();
    case State::waiting:
      // Nothing may come between two requests but the end of the connection.
      if (receive_some(socket_, receive_buffer).what == Transfer::later) return;
      socket_.close();
      return errand_.lost();
    default: return read();
  }
}

void Client::send() {
  const Moved sent = send_some(socket_, errand_.request);
  if (sent.what == Transfer::later && state_ == State::connecting) return;
  if (sent.what != Transfer::moved || sent.bytes != errand_.request.size()) return fail(Failure::closed);
  state_ = State::reading_head;
}

void Client::read() {
  while (true) {
    const bool in_body = state_ == State::reading_body;
    const Moved got = in_body ? skip_some(socket_, body_left_) : receive_some(socket_, receive_buffer);
    if (got.what == Transfer::later) return;
    if (got.what == Transfer::ended && state_ == State::reading_end) return finish();
    if (got.what != Transfer::moved) return fail(Failure::closed);
    if (in_body) {
      body_left_ -= got.bytes;
    } else {
      take_head({receive_buffer.data(), got.bytes});
      if (!busy()) return;
      if (state_ == State::reading_head) continue;
    }
    if (body_left_ != 0) continue;
    if (!errand_.new_connections) return finish();
    state_ = State::reading_end;
  }
}

void Client::take_head(std::string_view bytes) {
  constexpr std::string_view kEndOfHead = "\r\n\r\n";
  if (state_ != State::reading_head) return fail(Failure::framing);  // more than the body
  if (!incomplete_.empty()) {
    incomplete_.append(bytes);
    bytes = incomplete_;
  }
  const std::size_t end = bytes.find(kEndOfHead);
  if (end == std::string_view::npos) {
    if (incomplete_.empty()) incomplete_ = bytes;
    return;
  }
  const std::string_view head = bytes.substr(0, end + 2);
  const std::size_t came_along = bytes.size() - end - kEndOfHead.size();
  if (!head.starts_with("HTTP/1.1 200 ")) return fail(Failure::status);
  if (content_length(head) != errand_.body_bytes || came_along > errand_.body_bytes) return fail(Failure::framing);
  body_left_ = errand_.body_bytes - came_along;
  state_ = State::reading_body;
  incomplete_.clear();
}

void Client::finish() {
  if (errand_.new_connections) socket_.close();
  state_ = State::waiting;
  errand_.answered(*this);
}

void Client::fail(Failure failure) {
  socket_.close();
  incomplete_.clear();
  state_ = State::waiting;
  errand_.failed(*this, failure);
}

}  // namespace holdfast::bench

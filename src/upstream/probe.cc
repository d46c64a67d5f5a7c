#include "upstream/probe.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "http/parse.h"
#include "io/stream.h"

namespace holdfast::upstream {
namespace {

std::string words(int error) { return error == ETIMEDOUT ? "no answer in time" : std::strerror(error); }

// The kernel said so at once; of a Unix socket the file may be gone, too.
bool nobody_listens(const Error& error) { return error.code == Code::refused || error.code == Code::missing; }

}  // namespace

io::Task<ProbeResult> probe_tcp(Ref<io::Loop> loop, io::SocketAddress address, Deadline deadline) {
  Result<std::unique_ptr<io::Stream>> stream = io::Stream::start_connect(*loop, address);
  ProbeResult result;
  if (!stream) {
    result.refused = nobody_listens(stream.error());
    result.why = stream.error().what;
    co_return result;
  }
  const int error = co_await (*stream)->connected(deadline);
  result.ok = error == 0;
  result.refused = error == ECONNREFUSED;
  if (!result.ok) result.why = "connect: " + words(error);
  (*stream)->reset_on_close();  // thousands of checks must not leave thousands of ports in TIME_WAIT
  co_return result;
}

io::Task<ProbeResult> probe_http(Ref<io::Loop> loop, io::SocketAddress address, std::string host, std::string path,
                                 std::vector<config::StatusRange> expect, Deadline deadline) {
  constexpr std::size_t kAnswerBytesMax = 16 * 1024;
  ProbeResult result;
  Result<std::unique_ptr<io::Stream>> opened = io::Stream::start_connect(*loop, address);
  if (!opened) {
    result.refused = nobody_listens(opened.error());
    result.why = opened.error().what;
    co_return result;
  }
  io::Stream& stream = **opened;
  const int error = co_await stream.connected(deadline);
  if (error != 0) {
    result.refused = error == ECONNREFUSED;
    result.why = "connect: " + words(error);
    co_return result;
  }
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: " + host +
                              "\r\nUser-Agent: holdfast-health-check\r\nConnection: close\r\n\r\n";
  const io::Moved sent = co_await stream.write_all(request, deadline);
  if (!sent.ok()) {
    result.why = "send: " + words(sent.error);
    co_return result;
  }
  std::string answer(kAnswerBytesMax, '\0');
  std::size_t size = 0;
  http::ResponseHead head;
  while (true) {
    const std::span<char> room(answer.data() + size, answer.size() - size);
    const io::Moved got = co_await stream.read_some(room, deadline);
    if (!got.ok() || got.ended()) {
      result.why = got.ended() ? "closed before an answer" : "read: " + words(got.error);
      co_return result;
    }
    size += got.bytes;
    const http::ParseOutcome outcome =
        http::parse_response_head({answer.data(), size}, http::Limits{}, http::Method::get, head);
    if (outcome.status == http::ParseStatus::complete) break;
    if (outcome.status == http::ParseStatus::malformed || size == answer.size()) {
      result.why = "not an HTTP answer";
      co_return result;
    }
  }
  stream.reset_on_close();
  result.ok =
      std::ranges::any_of(expect, [&](const config::StatusRange& range) { return range.contains(head.status); });
  if (!result.ok) result.why = "status " + std::to_string(head.status);
  co_return result;
}

}  // namespace holdfast::upstream

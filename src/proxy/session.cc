#include "proxy/session.h"

#include <algorithm>

#include "proxy/exchange.h"

namespace holdfast::proxy {

Session::Session(Worker& worker, io::UniqueFd fd, const io::SocketAddress& peer, std::string listener)
    : worker_(&worker),
      stream_(worker.loop(), std::move(fd)),
      listener_(std::move(listener)),
      counters_(worker.counters_of(listener_)) {
  place_ = worker.sessions().insert(worker.sessions().end(), this);
  counters_.open.add();
  const std::string text = peer.is_unix() ? std::string("unix") : io::ip_to_string(peer);
  client_size_ = static_cast<std::uint8_t>(std::min(text.size(), client_.size()));
  std::copy_n(text.begin(), client_size_, client_.begin());
  const Listener* config = worker.snapshot()->shared->find_listener(listener_);
  trusted_peer_ = config != nullptr && config->trusts(peer);
}

Session::~Session() {
  worker_->sessions().erase(place_);
  counters_.open.subtract();
}

void Session::cut_off() {
  stream_.cancel();
  if (exchange != nullptr) exchange->cut_off();
}

namespace {

constexpr Duration kLingerTime = 1s;
constexpr std::size_t kLingerBytesMax = 256 * 1024;

// Lets the client read our answer while it still sends: its bytes are read and dropped, within bounds.
io::Task<> linger(Ref<Session> session) {
  io::Stream& stream = session->stream();
  const Deadline deadline = stream.loop().now() + kLingerTime;
  const io::Buffer buffer = session->worker().buffers().lend();
  session->idle = true;  // a drain need not wait for this
  stream.end_writing();
  for (std::size_t dropped = 0; dropped < kLingerBytesMax;) {
    const io::Moved got = co_await stream.read_some(buffer.all(), deadline);
    if (!got.ok() || got.ended()) co_return;
    dropped += got.bytes;
  }
}

}  // namespace

io::Task<> serve_http(Ref<Worker> worker, io::UniqueFd fd, io::SocketAddress peer, std::string listener) {
  Session session(*worker, std::move(fd), peer, std::move(listener));
  while (session.requests == 0 || !worker->draining()) {
    const Listener* config = worker->snapshot()->shared->find_listener(session.listener());
    if (config == nullptr) break;
    const config::ListenerLimits& limits = config->config.limits;
    const Duration patience = session.requests == 0 ? limits.request_header_timeout : limits.idle_timeout;
    session.idle = true;
    const int error = co_await session.stream().readable(worker->loop().now() + patience);
    if (error != 0) break;
    session.idle = false;
    const bool again = co_await serve_requests(session);
    if (!again) break;
  }
  if (session.linger) co_await linger(session);
}

}  // namespace holdfast::proxy

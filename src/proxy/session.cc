#include "proxy/session.h"

#include <algorithm>
#include <cerrno>

#include "proxy/exchange.h"

namespace holdfast::proxy {

Session::Session(Worker& worker, Front& front, io::UniqueFd fd, const io::SocketAddress& peer)
    : stream_(worker.loop(), std::move(fd)),
      worker_(&worker),
      front_(&front),
      place_(static_cast<std::uint32_t>(worker.sessions().size())),
      trusted_peer_(front.listener->trusts(peer)) {
  worker.sessions().push_back(this);
  front.open.add();
  const std::string text = peer.is_unix() ? std::string("unix") : io::ip_to_string(peer);
  client_size_ = static_cast<std::uint8_t>(std::min(text.size(), client_.size()));
  std::copy_n(text.begin(), client_size_, client_.begin());
}

Session::~Session() {
  std::vector<Session*>& all = worker_->sessions();
  all[place_] = all.back();
  all[place_]->place_ = place_;
  all.pop_back();
  front_->open.subtract();
  if (counted_as) worker_->commons().addresses.leave(*counted_as);
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
  session->idle = true;  // a drain need not wait for this
  stream.end_writing();
  for (std::size_t dropped = 0; dropped < kLingerBytesMax;) {
    const int error = co_await stream.readable(deadline);
    if (error != 0) co_return;
    const io::Moved got = stream.try_read(session->worker().scratch());
    if (got.error == EAGAIN) continue;
    if (!got.ok() || got.ended()) co_return;
    dropped += got.bytes;
  }
}

}  // namespace

io::Task<> serve_http(std::unique_ptr<Session> session) {
  Worker& worker = session->worker();
  const Front& front = session->front();
  while (true) {
    const config::ListenerLimits& limits = front.listener->config.limits;
    const Duration patience = session->requests == 0 ? limits.request_header_timeout : limits.idle_timeout;
    const Instant until = std::min(worker.loop().now() + patience, worker.idle_until(front));
    session->idle = true;
    const int error = co_await session->stream().readable_in_line(until);
    if (error != 0) break;
    session->idle = false;
    const bool again = co_await serve_requests(*session);
    if (!again) break;
  }
  if (session->linger) co_await linger(*session);
}

}  // namespace holdfast::proxy

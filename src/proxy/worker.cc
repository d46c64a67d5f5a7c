#include "proxy/worker.h"

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "proxy/refusal.h"
#include "proxy/session.h"

namespace holdfast::proxy {

// A listening socket of this loop.
struct Worker::Door : Pinned {
  Door(io::Loop& loop, Front& front_, const io::SocketAddress& address_, io::UniqueFd socket)
      : front(front_), address(address_), acceptor(loop, std::move(socket)) {}

  Front& front;
  const io::SocketAddress address;
  io::Acceptor acceptor;
};

namespace {

constexpr std::size_t kBuffersKept = 1024;
constexpr std::size_t kHeadsKept = 1024;
constexpr Duration kBreath = 10ms;  // when there is no room: others must close first

std::int64_t wall_offset_us(Instant now) { return io::read_wall_clock_us() - now.time_since_epoch() / 1us; }

}  // namespace

Worker::Worker(io::Loop& loop, unsigned number, unsigned workers, Commons& commons, upstream::HealthKeeper& health,
               AccessRing* log_ring)
    : loop_(loop),
      commons_(commons),
      health_(health),
      log_ring_(log_ring),
      prng_(static_cast<std::uint64_t>(wall_offset_us(Instant{})) + number),
      number_(number),
      workers_(workers),
      wall_offset_us_(wall_offset_us(io::read_clock())),
      tasks_(loop) {
  // The first half tells processes and workers apart, the second counts.
  constexpr std::string_view kHex = "0123456789abcdef";
  const std::uint64_t process = prng_.next();
  for (std::size_t i = 0; i < 16; ++i) request_id_[i] = kHex[(process >> (4 * i)) & 15];
  request_id_[16] = '-';
}

Worker::~Worker() = default;

void Worker::adopt(std::shared_ptr<const Snapshot> shared) {
  const bool first = snapshot_ == nullptr;
  if (first) {
    buffers_ = std::make_unique<io::BufferPool>(shared->model.proxy.buffer_bytes, kBuffersKept, commons_.memory);
    tasks_.add(sweep());
    tasks_.add(look_for_slow_calls());
  }
  // Room for any head that a limit lets through, rewritten, with a buffer's worth of body behind it.
  std::size_t largest_head = 0;
  for (const Listener& listener : shared->listeners) {
    largest_head = std::max<std::size_t>(largest_head, listener.head_limits.header_bytes);
  }
  // Or for the largest answer of our own.
  constexpr std::size_t kOwnAnswer = upstream::kFallbackBytesMax + config::kAnswerHeadersMax * std::size_t{1536};
  const std::size_t room = 2 * largest_head + std::max(2 * buffers_->buffer_bytes(), kOwnAnswer) + 16 * 1024;
  if (scratch_.size() < room) scratch_.resize(room);

  std::unordered_map<std::string_view, std::shared_ptr<upstream::LocalService>> before;
  if (!first) {
    for (const auto& local : snapshot_->services) before.emplace(local->service().name(), local);
  }
  auto next = std::make_shared<LocalSnapshot>();
  next->services.reserve(shared->services.size());
  for (const auto& service : shared->services) {
    const auto found = before.find(service->name());
    const std::shared_ptr<upstream::LocalService> old = found == before.end() ? nullptr : found->second;
    if (found != before.end()) before.erase(found);
    if (old != nullptr && &old->service() == service.get()) {
      next->services.push_back(old);
      continue;
    }
    next->services.push_back(std::make_shared<upstream::LocalService>(loop_, service, old.get(), prng_.next()));
    if (old != nullptr) old->retire(next->services.back().get());
  }
  for (const auto& [name, gone] : before) gone->retire(nullptr);
  next->shared = std::move(shared);
  snapshot_ = std::move(next);
  adopt_fronts();
}

void Worker::adopt_fronts() {
  for (const Listener& listener : snapshot_->shared->listeners) {
    const auto key = std::make_pair(listener.config.name, listener.config.protocol);
    Front& front = fronts_.try_emplace(key, listener.config.name).first->second;
    front.snapshot = snapshot_;
    front.listener = &listener;
    front.idle_until = kNever;
  }
  const Instant idle_until = loop_.now() + snapshot_->shared->model.proxy.drain_timeout;
  for (auto& [key, front] : fronts_) {
    if (front.snapshot == nullptr || front.snapshot == snapshot_ || front.leaving()) continue;
    front.idle_until = idle_until;
  }
}

// What a front that is leaving was served by can go with its last connection.
void Worker::forget_fronts() {
  for (auto& [key, front] : fronts_) {
    if (!front.leaving() || front.open.get() != 0) continue;
    if (std::ranges::any_of(doors_, [&front](const auto& door) { return &door->front == &front; })) continue;
    front.snapshot = nullptr;
    front.listener = nullptr;
    front.idle_until = kNever;
  }
}

// ---- connections in

void Worker::listen(const std::string& listener, const io::SocketAddress& address, io::UniqueFd socket) {
  Front* front = front_of(listener);
  if (front == nullptr) return;  // a reload after this one took it away again
  Door& door = *doors_.emplace_back(std::make_unique<Door>(loop_, *front, address, std::move(socket)));
  tasks_.add(accept_from(door));
}

void Worker::stop_listening(const io::SocketAddress& address) {
  for (const auto& door : doors_) {
    if (door->address == address) door->acceptor.cancel();
  }
}

void Worker::duplicate_listening(std::vector<io::NamedSocket>& into) const {
  for (const auto& door : doors_) {
    Result<io::UniqueFd> second = io::duplicate(door->acceptor.descriptor().fd());
    if (second) into.push_back({door->front.name, std::move(*second)});
  }
}

// At a limit connections wait in the kernel's queue: a client that is let in a little later beats one refused.
io::Task<> Worker::wait_for_room(Ref<Door> door) {
  (full() ? waits_when_full : short_of_files_ ? waits_for_files : waits_for_memory).add();
  while (!may_accept()) {
    co_await io::sleep_until(loop_, loop_.now() + kBreath, stop_);
    if (!short_of_files_) continue;
    const Result<io::UniqueFd> next = io::duplicate(door->acceptor.descriptor().fd());
    short_of_files_ = !next || !is_for_clients(*next);
  }
}

bool Worker::is_for_clients(const io::UniqueFd& file) const {
  return static_cast<unsigned>(file.get()) < io::files_for_clients(commons_.files);
}

io::Task<> Worker::accept_from(Ref<Door> door) {
  constexpr int kAcceptsPerTurn = 64;
  for (int accepts = 1;; ++accepts) {
    if (!may_accept()) co_await wait_for_room(door);
    io::Accepted accepted = co_await door->acceptor.accept();
    if (accepted.error == ECANCELED) break;
    if (accepted.error != 0) {
      waits_for_files.add();
      co_await io::sleep_until(loop_, loop_.now() + kBreath, stop_);
      continue;
    }
    short_of_files_ = short_of_files_ || !is_for_clients(accepted.fd);
    receive(*door, std::move(accepted));
    if (accepts % kAcceptsPerTurn == 0) co_await loop_.yield();
  }
  // What the kernel has accepted on our behalf is served; closing the last handle of the socket would reset it.
  while (waiting_ == Waiting::accept) {
    io::Accepted waiting = door->acceptor.try_accept();
    if (waiting.error != 0) break;
    receive(*door, std::move(waiting));
  }
  std::erase_if(doors_, [&door](const auto& each) { return each.get() == &*door; });
}

bool Worker::full() const {
  return sessions_.size() >= std::max(snapshot_->shared->model.proxy.max_connections / workers_, 1U);
}

void Worker::receive(Door& door, io::Accepted accepted) {
  Front& front = door.front;
  if (front.snapshot == nullptr) return;
  front.accepted.add();
  const Listener& listener = *front.listener;
  const bool http = listener.config.protocol == config::ListenerProtocol::http;
  std::optional<AddressCounts::Key> counted;
  const unsigned most = listener.config.limits.connections_per_address;
  if (most != 0 && !accepted.peer.is_unix() && !listener.trusts(accepted.peer)) {
    counted = commons_.addresses.key_of(accepted.peer, front.name);
    if (!commons_.addresses.enter(*counted, most)) {
      front.refused_connections.add();
      io::Stream stream(loop_, std::move(accepted.fd));
      turn_away(*this, front, stream, io::ip_to_string(accepted.peer), "too-many-connections");
      return;
    }
  }
  auto session = std::make_unique<Session>(*this, front, std::move(accepted.fd), accepted.peer);
  session->counted_as = counted;
  tasks_.add(http ? serve_http(std::move(session)) : serve_tcp(std::move(session)));
}

Front* Worker::front_of(const std::string& listener) {
  for (auto& [key, front] : fronts_) {
    if (front.name == listener && front.snapshot == snapshot_) return &front;
  }
  return nullptr;
}

// ---- going

void Worker::drain(Instant idle_until, Waiting waiting) {
  draining_ = true;
  waiting_ = waiting;
  idle_until_ = idle_until;
  stop_.request();
  for (const auto& door : doors_) door->acceptor.cancel();
}

void Worker::end_idle() {
  for (Session* session : sessions_) {
    if (!session->idle || loop_.now() < idle_until(session->front())) continue;
    if (session->stream().descriptor().maybe_readable()) continue;  // its next request stands in line, or it is leaving
    session->stream().cancel();
  }
}

void Worker::cut_off() {
  for (Session* session : sessions_) session->cut_off();
}

// What grows old together is looked at once a second: idle connections to endpoints, connections of listeners that are
// gone.
io::Task<> Worker::sweep() {
  while (!stop_.requested()) {
    co_await io::sleep_until(loop_, loop_.now() + 1s, stop_);
    end_idle();
    forget_fronts();
    buffers_->trim();
    for (const auto& local : snapshot_->services) {
      local->close_idle_since(loop_.now() - local->config().timeouts.idle);
    }
  }
}

// A call that hangs counts as slow when it is, not when it ends; nothing else may happen on this loop meanwhile.
io::Task<> Worker::look_for_slow_calls() {
  constexpr Duration kLook = 25ms;
  constexpr Duration kIdle = 1s;
  Duration pause = kLook;
  while (!stop_.requested()) {
    co_await io::sleep_until(loop_, loop_.now() + pause, stop_);
    const auto& circuits = snapshot_->shared->guards.circuits();
    for (const auto& circuit : circuits) circuit->meter(number_).look_for_slow(loop_.now());
    pause = circuits.empty() ? kIdle : kLook;
  }
}

// ---- what requests borrow

std::unique_ptr<Heads> Worker::take_heads() {
  if (heads_.empty()) return std::make_unique<Heads>();
  std::unique_ptr<Heads> heads = std::move(heads_.back());
  heads_.pop_back();
  heads->scanner.reset();
  return heads;
}

void Worker::return_heads(std::unique_ptr<Heads> heads) {
  if (heads_.size() < kHeadsKept) heads_.push_back(std::move(heads));
}

std::string_view Worker::next_request_id() {
  constexpr std::string_view kHex = "0123456789abcdef";
  const std::uint64_t count = ++request_count_;
  for (std::size_t i = 0; i < 12; ++i) request_id_[17 + i] = kHex[(count >> (4 * (11 - i))) & 15];
  return {request_id_.data(), 29};
}

}  // namespace holdfast::proxy

#include "proxy/exchange.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "http/status.h"
#include "proxy/refusal.h"

namespace holdfast::proxy {

io::Task<bool> serve_requests(Ref<Session> session) {
  constexpr int kRequestsPerTurn = 16;  // of one pipeline, before others get their turn
  Exchange exchange(*session);
  if (!exchange.in_) {
    session->worker().refused_by_memory.add();
    turn_away(session->worker(), session->front(), session->stream(), session->client(), "out-of-memory");
    session->linger = true;
    co_return false;
  }
  for (int served = 1;; ++served) {
    Exchange::HeadState head = exchange.read_head_now();
    if (head == Exchange::HeadState::nothing) co_return true;
    if (head == Exchange::HeadState::incomplete) head = co_await exchange.read_head();
    if (head == Exchange::HeadState::gone) co_return false;
    if (head == Exchange::HeadState::complete) {
      exchange.begin();
      const std::optional<Exchange::Refusal> refusal = exchange.route();
      if (refusal) {
        co_await exchange.refuse(*refusal);
      } else {
        co_await exchange.forward();
      }
    }
    exchange.account();
    if (!exchange.keep_alive_) co_return false;
    exchange.prepare_next();
    if (served % kRequestsPerTurn == 0) co_await session->worker().loop().yield();
  }
}

Exchange::Exchange(Session& session)
    : OnBroken(session.stream().descriptor(), &Exchange::on_client_broken),
      session_(session),
      worker_(session.worker()),
      client_(session.stream()),
      heads_(worker_.take_heads()),
      in_(worker_.buffers().lend(io::Taker::newcomer)) {
  session_.exchange = this;
}

Exchange::~Exchange() {
  session_.exchange = nullptr;
  give_up_endpoint();
  worker_.return_heads(std::move(heads_));
}

// In a tunnel both directions may have ended well, with last words still on their way.
void Exchange::on_client_broken(io::OnBroken& self) {
  auto& exchange = static_cast<Exchange&>(self);
  if (!exchange.tunnelled_) exchange.cut_off();
}

// ---- the head

// Everything of a small request is usually there with the first read: no coroutine for that.
Exchange::HeadState Exchange::read_head_now() {
  snapshot_ = session_.front().snapshot;
  listener_ = session_.front().listener;
  if (begin_ == end_) {
    const io::Moved got = client_.try_read(in_.all());
    if (got.error == EAGAIN) return HeadState::nothing;
    if (!got.ok() || got.ended()) return HeadState::gone;
    begin_ = 0;
    end_ = got.bytes;
  }
  started_ = worker_.loop().now();
  begun_ = false;
  status_ = 0;
  reason_ = {};
  response_bytes_ = 0;
  answered_ = {};
  tries_ = 0;
  request_body_.start(http::Framing::none, 0, listener_->head_limits);
  return parse_head();
}

Exchange::HeadState Exchange::parse_head() {
  const std::string_view bytes(in_.data() + begin_, end_ - begin_);
  const bool full = end_ == in_.size() || bytes.size() >= listener_->head_limits.header_bytes;
  if (!heads_->scanner.should_parse(bytes) && !full) return HeadState::incomplete;
  const http::ParseOutcome outcome = http::parse_request_head(bytes, listener_->head_limits, heads_->request);
  if (outcome.status == http::ParseStatus::incomplete) return HeadState::incomplete;
  if (outcome.status == http::ParseStatus::complete) {
    begin_ += outcome.head_bytes;
    return HeadState::complete;
  }
  session_.front().bad_requests.add();
  keep_alive_ = false;
  session_.linger = true;
  status_ = outcome.answer;
  reason_ = outcome.reason;
  http::LocalResponse response;
  response.status = outcome.answer;
  response.reason = "bad-request";
  response.body = outcome.reason;
  const std::optional<std::size_t> size = http::write_local_response(response, worker_.scratch());
  check(size.has_value(), "an answer of our own fits the scratch room");
  // Best effort: a peer that breaks the protocol is not waited for.
  const io::Moved sent = client_.try_write(worker_.scratch().first(*size));
  count_local_body(response, *size, sent.bytes);
  return HeadState::refused;
}

bool Exchange::make_room_for_head() {
  if (end_ < in_.size()) return true;
  const std::size_t held = end_ - begin_;
  const std::size_t needed = listener_->head_limits.header_bytes + worker_.buffers().buffer_bytes();
  check(begin_ != 0 || in_.size() < needed, "the parser refuses a head that is larger than its limit");
  io::Buffer larger = worker_.buffers().lend_sized(std::max(needed, in_.size()));
  if (!larger) return false;
  std::memcpy(larger.data(), in_.data() + begin_, held);
  in_ = std::move(larger);
  begin_ = 0;
  end_ = held;
  return true;
}

// Who sends half a head and waits holds as much memory as that half, and no buffer. Empty: it stays where it is,
// because it is large or because there is no memory even for that.
io::Buffer Exchange::park_head() {
  const std::size_t held = end_ - begin_;
  if (in_.size() != worker_.buffers().buffer_bytes() || held > in_.size() / 2) return {};
  io::Buffer parked = worker_.buffers().lend_sized(held);
  if (!parked) return {};
  std::memcpy(parked.data(), in_.data() + begin_, held);
  in_ = io::Buffer{};
  return parked;
}

bool Exchange::unpark_head(io::Buffer parked) {
  if (!parked) return true;
  in_ = worker_.buffers().lend();
  if (!in_) return false;
  std::memcpy(in_.data(), parked.data(), parked.size());
  begin_ = 0;
  end_ = parked.size();
  return true;
}

// The rest of a head that comes in pieces. The time-out is for the whole of it: a byte now and then buys nothing.
io::Task<Exchange::HeadState> Exchange::read_head() {
  const Deadline deadline = started_ + listener_->config.limits.request_header_timeout;
  std::optional<Refusal> refusal;
  while (!refusal) {
    io::Buffer parked = park_head();
    const int error = co_await client_.readable(deadline);
    if (error != 0 && error != ETIMEDOUT) co_return HeadState::gone;
    if (error == ETIMEDOUT) {
      session_.front().slow_clients.add();
      refusal = Refusal{408, "header-timeout"};
    } else if (!unpark_head(std::move(parked)) || !make_room_for_head()) {
      worker_.refused_by_memory.add();
      refusal = Refusal{503, "out-of-memory"};
    } else {
      const io::Moved got = client_.try_read(in_.all().subspan(end_));
      if (got.error == EAGAIN) continue;
      if (!got.ok() || got.ended()) co_return HeadState::gone;
      end_ += got.bytes;
      const HeadState state = parse_head();
      if (state != HeadState::incomplete) co_return state;
    }
  }
  keep_alive_ = false;
  session_.linger = true;
  co_await refuse(*refusal);
  co_return HeadState::refused;
}

// ---- the request

void Exchange::begin() {
  const http::RequestHead& request = heads_->request;
  ++session_.requests;
  session_.front().requests.add();
  session_.idle = false;
  keep_alive_ =
      request.keep_alive && !worker_.draining() && session_.requests < listener_->config.limits.requests_per_connection;
  begun_ = true;
  answer_begun_ = false;
  streamed_ = false;
  short_of_ = nullptr;
  service_ = nullptr;
  stood_in_for_ = nullptr;
  circuit_ = nullptr;
  breaker_ = {};
  request_body_.start(request.framing, request.content_length, listener_->head_limits);
  make_request_id();
}

void Exchange::make_request_id() {
  const http::Field* own = session_.trusted_peer() ? heads_->request.find(http::Name::x_request_id) : nullptr;
  if (own != nullptr && !own->value.empty() && own->value.size() <= 128) {
    request_id_ = own->value;
    return;
  }
  const std::string_view made = worker_.next_request_id();
  std::copy(made.begin(), made.end(), request_id_text_.begin());
  request_id_ = {request_id_text_.data(), made.size()};
}

// Where it goes, and whether it may. None: to an endpoint of service_.
std::optional<Exchange::Refusal> Exchange::route() {
  const http::RequestHead& request = heads_->request;
  const Destination destination = listener_->router.route(request.host, request.path);
  if (!destination.found()) return Refusal{404, "no-route"};
  if (destination.redirect != nullptr) return Refusal{destination.redirect->status, "", destination.redirect};
  service_index_ = destination.service;
  service_ = snapshot_->services[service_index_].get();
  if (!hear_callers_deadline()) return Refusal{504, "deadline-passed"};
  deadline_ = std::min(callers_deadline_, started_ + service_->config().timeouts.request);
  return take_first_piece();
}

// What came of the body with the head goes out with it.
std::optional<Exchange::Refusal> Exchange::take_first_piece() {
  const http::RequestHead& request = heads_->request;
  first_piece_ = {};
  if (request_body_.done()) return std::nullopt;
  const std::size_t most = listener_->config.limits.body_bytes;
  if (request.framing == http::Framing::length && request.content_length > most) {
    return Refusal{413, "request-too-large"};
  }
  const BodyReader::Piece piece = request_body_.take({in_.data() + begin_, end_ - begin_});
  first_piece_ = piece.data;
  begin_ += piece.consumed;
  if (!piece.error.empty()) {
    session_.front().bad_requests.add();
    return Refusal{400, "bad-request"};
  }
  if (request_body_.bytes() > most) return Refusal{413, "request-too-large"};
  return std::nullopt;
}

// ---- answers of our own

io::Task<> Exchange::refuse(Refusal refusal) {
  if (refusal.redirect != nullptr) {
    co_await redirect(refusal.redirect);
  } else {
    co_await answer_error(refusal.status, refusal.reason);
  }
}

io::Task<> Exchange::answer_error(std::uint16_t status, const char* reason) {
  http::LocalResponse response;
  response.status = status;
  response.reason = reason;
  if (status == 503) response.retry_after_s = 1;
  co_await answer_locally(response);
}

io::Task<> Exchange::redirect(const config::Redirect* redirect) {
  const http::Field location{.name = "Location", .value = redirect->to, .id = http::Name::location};
  http::LocalResponse response;
  response.status = redirect->status;
  response.extra = {&location, 1};
  co_await answer_locally(response);
}

// Neither the proxy is ending nor has a reload taken the listener away: then the client is told with this answer.
bool Exchange::session_may_stay() const { return !worker_.draining() && !session_.front().leaving(); }

io::Task<> Exchange::answer_locally(http::LocalResponse response) {
  // A body that is still coming would be read as the next request: the connection ends instead.
  if (!request_body_.done()) {
    keep_alive_ = false;
    session_.linger = true;
  }
  if (!session_may_stay()) keep_alive_ = false;
  linger_over_surplus();
  response.keep_alive = keep_alive_;
  response.client_minor_version = heads_->request.minor_version;
  response.to_head = heads_->request.method == http::Method::head;
  session_.front().local_answers.add();
  status_ = response.status;
  if (reason_.empty()) reason_ = response.reason;  // what the parser said is more exact
  answer_begun_ = true;
  const std::optional<std::size_t> size = http::write_local_response(response, worker_.scratch());
  check(size.has_value(), "an answer of our own fits the scratch room");
  outbox_.reset();
  outbox_.send(client_, worker_.scratch().first(*size));
  if (!outbox_.empty()) {
    const Deadline deadline = worker_.loop().now() + listener_->config.limits.stall_timeout;
    const io::Moved sent = co_await client_.write_all(outbox_.rest(), deadline);
    outbox_.flushed(sent);
  }
  if (outbox_.error() != 0) keep_alive_ = false;
  count_local_body(response, *size, outbox_.sent());
}

// RFC 9112 9.6: what was pipelined behind the last request of a connection is read and dropped, for closing over unread
// bytes is a reset, and may take the answer along.
void Exchange::linger_over_surplus() {
  if (!keep_alive_ && !tunnelled_ && begin_ < end_) session_.linger = true;
}

// As of answers that are relayed, the log counts the body alone.
void Exchange::count_local_body(const http::LocalResponse& response, std::size_t whole, std::size_t sent) {
  const std::size_t head = whole - http::local_body_size(response);
  response_bytes_ = sent - std::min(sent, head);
}

// ---- after it

void Exchange::account() {
  end_call(breaker::Outcome::cancelled);  // unless it has been told more
  if (service_ != nullptr) account_service();
  give_up_endpoint();
  AccessRing* ring = worker_.log_ring();
  if (ring == nullptr) return;
  const config::Share sample = snapshot_->shared->model.proxy.access_log.sample;
  if (sample < config::percent(100) && worker_.prng().below(10'000) >= sample.basis_points) return;
  ring->push(record());
}

void Exchange::account_service() {
  service_->requests.add();
  const std::size_t status_class = status_ / 100U;
  service_->answers[status_class < service_->answers.size() ? status_class : 0].add();
  service_->latency.record(worker_.loop().now() - started_);
}

AccessRecord Exchange::record() const {
  const Duration took = worker_.loop().now() - started_;
  AccessRecord record;
  record.duration_us = static_cast<std::uint32_t>(std::min<Duration::rep>(took / 1us, UINT32_MAX));
  record.wall_us = worker_.wall_clock_us() - record.duration_us;
  if (answered_ != Instant{}) record.upstream_us = static_cast<std::uint32_t>((answered_ - started_) / 1us);
  record.request_bytes = request_body_.bytes();
  record.response_bytes = response_bytes_;
  record.status = status_;
  record.attempts = static_cast<std::uint8_t>(tries_);
  record.client = session_.client();
  record.listener = session_.front().name;
  record.reason = reason_;
  if (begun_) {
    const http::RequestHead& request = heads_->request;
    record.method = request.method_text;
    record.host = request.host;
    record.path = request.path;
    record.request_id = request_id_;
  }
  if (service_ != nullptr) {
    record.service = service_->service().name();
    record.breaker = breaker_;
  }
  if (tries_ > 0) record.endpoint = service_->endpoint(endpoint_).endpoint->name;
  return record;
}

// What came behind the request is the beginning of the next one.
void Exchange::prepare_next() {
  heads_->scanner.reset();
  service_ = nullptr;
  if (upload_ != nullptr && upload_->room) in_ = std::move(upload_->room);
  upload_ = nullptr;
  if (begin_ == end_) {
    begin_ = end_ = 0;
    return;
  }
  std::memmove(in_.data(), in_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
}

}  // namespace holdfast::proxy

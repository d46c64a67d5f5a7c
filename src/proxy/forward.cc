// Exchange, second part: the request goes to an endpoint, and to another one when that is safe.
#include <cerrno>
#include <cstring>

#include "balance/retry.h"
#include "base/check.h"
#include "base/hash.h"
#include "http/lookup.h"
#include "http/write_request.h"
#include "io/loop.h"
#include "proxy/exchange.h"
#include "proxy/tunnel.h"

namespace holdfast::proxy {

io::Task<> Exchange::forward() {
  if (heads_->request.expect_continue && !request_body_.done()) {
    const io::Moved sent = co_await client_.write_all(http::kContinue, deadline_);
    if (!sent.ok()) {
      keep_alive_ = false;
      reason_ = why_cut_short(RelayEnd::receiver_gone);
      co_return;
    }
  }
  service_->retry_budget.count_request(started_);
  Failure failure = Failure::none;
  while (true) {
    if (!claimed_ && !pick()) {
      co_await wait_for_place();
    }
    if (answer_begun_) co_return;  // the queue was full, or the wait in vain
    if (client_gone()) break;
    if (!claimed_) {
      co_await answer_failure(failure);
      co_return;
    }
    Ended ended = start_attempt();
    if (!ended) ended = co_await continue_attempt();
    if (ended == Failure::none) {
      const int error = co_await connection_->stream->readable(look_for_answer());
      ended = read_answer_head(error);
      if (!ended) ended = co_await wait_for_answer_head();
    }
    failure = *ended;
    if (failure == Failure::silence) continue;  // another endpoint is claimed already
    if (failure == Failure::none) {
      const bool server_error = heads_->response.status >= 500 && heads_->response.status != 501;
      report(server_error ? Failure::status : Failure::none);
      if (!answer_at_once()) co_await relay_rest_of_answer();
      co_return;
    }
    if (upload_ != nullptr) co_await end_upload();
    // The body was held up, and not by the client.
    if (failure == Failure::client && upload_end() == RelayEnd::receiver_gone) failure = Failure::timeout;
    report(failure);
    if (!may_try_again(failure)) break;
    if (failure == Failure::status) {
      if (!change_endpoint()) break;
    } else {
      give_up_endpoint();
    }
    service_->retries.add();
  }
  if (client_gone()) {
    keep_alive_ = false;
    reason_ = why_cut_short(RelayEnd::receiver_gone);
  } else if (failure == Failure::status) {
    if (!answer_at_once()) co_await relay_rest_of_answer();
  } else {
    co_await answer_failure(failure);
  }
}

// ---- who

std::uint64_t Exchange::hash_key() const {
  const config::HashKey& key = service_->config().balance.hash.key;
  const http::RequestHead& request = heads_->request;
  switch (key.source) {
    case config::HashKey::Source::client_ip: return hash64(session_.client());
    case config::HashKey::Source::path: return hash64(request.path);
    case config::HashKey::Source::header: {
      const http::Field* field = request.find(key.name);
      return hash64(field == nullptr ? std::string_view{} : field->value);
    }
    case config::HashKey::Source::cookie: return hash64(http::find_cookie(request, key.name).value_or(""));
    case config::HashKey::Source::query: return hash64(http::find_query(request, key.name).value_or(""));
  }
  return 0;
}

std::optional<std::uint32_t> Exchange::sticky_endpoint() const {
  const std::string& cookie = service_->config().balance.sticky_cookie;
  if (cookie.empty()) return std::nullopt;
  return service_->endpoint_of_token(http::find_cookie(heads_->request, cookie));
}

// Claims an endpoint: it is owed a release.
std::optional<std::uint32_t> Exchange::pick() {
  const config::Balance& balance = service_->config().balance;
  balance::Question question;
  question.tried = {tried_.data(), std::min(tries_, tried_.size())};
  if (balance.algorithm == config::Algorithm::hash) question.hash = hash_key();
  question.sticky = sticky_endpoint();
  const balance::Pick pick = service_->pick(question, worker_.loop().now());
  if (pick.outcome != balance::Outcome::picked) {
    all_busy_ = pick.outcome == balance::Outcome::all_busy;
    return std::nullopt;
  }
  endpoint_ = pick.index;
  claimed_ = true;
  set_sticky_ = !balance.sticky_cookie.empty() && question.sticky != pick.index;
  return endpoint_;
}

// An answer in hand is given up only for an endpoint that has been claimed: without one, it is what the client gets.
bool Exchange::change_endpoint() {
  const std::uint32_t before = endpoint_;
  if (!pick()) return false;
  connection_.reset();
  service_->release(before);
  return true;
}

// Waits in the service's queue while every endpoint is at its limit. Answers the client itself when the wait is in
// vain.
io::Task<> Exchange::wait_for_place() {
  if (!all_busy_) co_return;
  upstream::Queue::Waiter waiter(worker_.loop(), service_->service());
  if (!waiter.enter()) {
    service_->queue_full.add();
    co_await answer_error(503, "queue-full");
    co_return;
  }
  const Deadline deadline = std::min(deadline_, worker_.loop().now() + service_->config().limits.queue_timeout);
  // The first look: a place may have become free between the pick and the queue, when nobody knew of us yet.
  bool in_time = true;
  waiter_ = &waiter;
  while (in_time && !client_gone() && !waiter.served() && !pick() && all_busy_) {
    in_time = co_await waiter.wait(deadline);
  }
  waiter_ = nullptr;
  const std::optional<std::uint32_t> handed_over = waiter.leave();
  if (handed_over && claimed_) {
    service_->release(*handed_over);  // two loops found us a place in the same instant
  } else if (handed_over) {
    endpoint_ = *handed_over;
    claimed_ = true;
    set_sticky_ = !service_->config().balance.sticky_cookie.empty() && sticky_endpoint() != endpoint_;
  }
  if (claimed_ || !all_busy_ || client_gone()) co_return;
  service_->queue_timeouts.add();
  co_await answer_error(503, "queue-timeout");
}

void Exchange::cut_off() {
  if (waiter_ != nullptr) waiter_->wake();
  if (connection_ != nullptr) connection_->stream->cancel();
}

void Exchange::give_up_endpoint() {
  connection_.reset();
  if (!claimed_) return;
  claimed_ = false;
  service_->release(endpoint_);
}

// ---- one attempt

// On an idle connection the request is gone at once, and the answer is all there is to wait for.
Exchange::Ended Exchange::start_attempt() {
  if (tries_ < tried_.size()) tried_[tries_] = endpoint_;
  ++tries_;
  sent_ = false;
  answered_ = {};
  attempt_began_ = worker_.loop().now();
  expect_answer();
  upstream::LocalEndpoint& endpoint = service_->endpoint(endpoint_);
  endpoint.requests.add();
  connection_ = endpoint.idle.take();
  if (connection_ == nullptr) return std::nullopt;
  return send_request();
}

io::Task<Exchange::Failure> Exchange::continue_attempt() {
  if (connection_ == nullptr) {
    const Failure failure = co_await open_connection();
    if (failure != Failure::none) co_return failure;
    const Ended sent = send_request();
    if (sent) co_return *sent;
  }
  const io::Moved more = co_await connection_->stream->write_all(outbox_.rest(), deadline_);
  outbox_.flushed(more);
  sent_ = sent_ || more.bytes > 0;
  if (more.error == ETIMEDOUT) co_return Failure::timeout;
  if (!more.ok()) co_return Failure::reset;
  begin_upload();
  co_return Failure::none;
}

io::Task<Exchange::Failure> Exchange::open_connection() {
  upstream::LocalEndpoint& endpoint = service_->endpoint(endpoint_);
  endpoint.connects.add();
  Result<std::unique_ptr<io::Stream>> stream = io::Stream::start_connect(worker_.loop(), endpoint.endpoint->address);
  if (!stream) co_return stream.error().side == Side::local ? ran_out_of_files() : Failure::connect;
  if (static_cast<unsigned>((*stream)->fd()) >= io::files_for_endpoints(worker_.commons().files)) {
    co_return ran_out_of_files();
  }
  connection_ = std::make_unique<upstream::Connection>(std::move(*stream));
  const Deadline deadline = std::min(deadline_, worker_.loop().now() + service_->config().timeouts.connect);
  const int error = co_await connection_->stream->connected(deadline);
  if (error == 0) co_return Failure::none;
  connection_.reset();
  // The endpoint may still have had time for its part when that of the whole was over.
  const bool too_late = error == ETIMEDOUT && worker_.loop().now() >= deadline_;
  co_return too_late ? Failure::timeout : Failure::connect;
}

// Ours is HTTP/1.1 and carries a Host (RFC 9112 3.2), also for an HTTP/1.0 client that sent none: an empty one is
// refused by many servers.
std::string_view Exchange::default_host() const {
  const upstream::Endpoint& endpoint = *service_->endpoint(endpoint_).endpoint;
  return endpoint.address.is_unix() ? std::string_view("localhost") : endpoint.name;
}

// Head and what has come of the body leave in one send.
Exchange::Ended Exchange::send_request() {
  const http::RequestHead& request = heads_->request;
  http::RequestRewrite rewrite;
  rewrite.client = session_.client();
  rewrite.proto = "http";
  rewrite.request_id = request_id_;
  rewrite.trust_forwarded = session_.trusted_peer();
  rewrite.websocket = request.websocket;
  const bool nameless = request.host.empty() && request.authority.empty();
  if (nameless && request.find(http::Name::host) == nullptr) rewrite.host = default_host();

  const std::span<char> room = worker_.scratch();
  const std::optional<std::size_t> head = http::write_request_head(request, rewrite, room);
  check(head.has_value(), "a request head within its limits fits the scratch room");
  std::size_t size = *head;
  check(room.size() - size >=
            http::kChunkHeadroom + first_piece_.size() + http::kChunkTailroom + request_body_.trailers().size(),
        "the first piece of a body fits the scratch room behind its head");
  if (!first_piece_.empty() || request.framing == http::Framing::chunked) {
    const bool chunked = request.framing == http::Framing::chunked;
    const std::size_t at = size + (chunked ? http::kChunkHeadroom : 0);
    if (!first_piece_.empty()) std::memcpy(room.data() + at, first_piece_.data(), first_piece_.size());
    const std::span<char> framed =
        frame(request.framing, room.subspan(at, first_piece_.size()), request_body_.done(), request_body_.trailers());
    if (!framed.empty()) std::memmove(room.data() + size, framed.data(), framed.size());
    size += framed.size();
  }
  outbox_.reset();
  outbox_.send(*connection_->stream, room.first(size));
  sent_ = sent_ || outbox_.sent() > 0;
  if (outbox_.error() != 0) return Failure::reset;
  if (!outbox_.empty()) return std::nullopt;
  begin_upload();
  return Failure::none;
}

// The rest of the body, if there is one, goes beside the answer.
void Exchange::begin_upload() {
  if (request_body_.done()) return;
  streamed_ = true;
  upload_ = std::make_unique<Upload>(worker_.loop());
  upload_->task.add(carry_upload(*upload_));
}

// Our own fault: no endpoint is blamed, and nothing is tried again.
Exchange::Failure Exchange::ran_out_of_memory() {
  worker_.refused_by_memory.add();
  short_of_ = "out-of-memory";
  return Failure::client;
}

Exchange::Failure Exchange::ran_out_of_files() {
  worker_.refused_by_files.add();
  short_of_ = "out-of-files";
  return Failure::client;
}

// The head stays where it is, for the log, and may leave no room behind it: the body has a buffer of its own, and the
// next request begins in that one.
io::Task<> Exchange::carry_upload(Ref<Upload> upload) {
  Room room{.pool = worker_.buffers(), .buffer = upload->room, .surplus = {}};
  const config::ListenerLimits& limits = listener_->config.limits;
  // The deadline of the whole is watched where the answer is waited for.
  const Relay relay{.framing = heads_->request.framing,
                    .stall_timeout = limits.stall_timeout,
                    .sender_rate = {limits.min_body_rate, limits.body_rate_grace},
                    .receiver_rate = {},
                    .bytes_max = limits.body_bytes,
                    .deadline = kNever};
  upload->end = co_await relay_body(client_, *connection_->stream, &request_body_, relay, &room);
  if (upload->end == RelayEnd::receiver_slow) upload->end = RelayEnd::receiver_gone;
  if (upload->end == RelayEnd::no_memory) (void)ran_out_of_memory();
  upload->running = false;
  begin_ = room.surplus.empty() ? 0 : static_cast<std::size_t>(room.surplus.data() - upload->room.data());
  end_ = begin_ + room.surplus.size();
  // An endpoint that stopped reading may still have answered, and an answer that has begun is not cut short because the
  // rest of the request is missing: the client may have stopped because of it. Else a request that failed needs none.
  const bool client_failed = upload->end != RelayEnd::complete && upload->end != RelayEnd::receiver_gone;
  if (client_failed && !answer_begun_) connection_->stream->cancel();
}

// The exchange is over before the request was read to its end: nobody wants the rest.
io::Task<> Exchange::end_upload() {
  if (!uploading()) co_return;
  keep_alive_ = false;
  client_.stop_reading();
  connection_->stream->cancel();
  co_await upload_->task.join(kNever);
  client_.resume_reading();
  session_.linger = true;
}

// ---- what a failure means

bool Exchange::may_try_again(Failure failure) {
  const config::Retries& retries = service_->config().retries;
  const balance::RetryRules rules{.attempts = retries.attempts,
                                  .connect_failure = retries.on.connect_failure,
                                  .reset = retries.on.reset,
                                  .silence = retries.on.silence,
                                  .timeout = retries.on.timeout,
                                  .statuses = retries.on.statuses};
  const balance::Attempted attempted{.idempotent = http::is_idempotent(heads_->request.method),
                                     .sent = sent_,
                                     .replayable = !streamed_,
                                     .answer_started = answer_begun_,
                                     .retries_used = static_cast<unsigned>(tries_ - 1)};
  balance::Failure what;
  what.stage = balance::Stage::exchanging;
  switch (failure) {
    case Failure::connect:
      what.stage = balance::Stage::connecting;
      what.code = Code::refused;
      break;
    case Failure::silence: what.silent = true; break;
    case Failure::timeout: what.code = Code::timed_out; break;
    case Failure::protocol: what.code = Code::protocol; break;
    case Failure::status:
      what.stage = balance::Stage::answering;
      what.status = heads_->response.status;
      break;
    case Failure::client: what.side = Side::client; [[fallthrough]];
    case Failure::reset:
    case Failure::none: what.code = Code::closed; break;
  }
  const Instant now = worker_.loop().now();
  if (now >= deadline_ || client_gone()) return false;
  return balance::may_retry(rules, what, attempted, service_->retry_budget, now) == balance::RetryVerdict::retry;
}

bool Exchange::watches_for_silence() const {
  return service_->config().retries.on.silence && !uploading() && answered_ == Instant{} &&
         service_->endpoints().size() > 1 && http::is_idempotent(heads_->request.method);
}

// The time for an answer has not passed, but the endpoint answers nobody. It hears of that, and the request goes
// elsewhere if it may; else it goes on waiting: for all we know, the answer may still come.
bool Exchange::leave_silent_endpoint() {
  if (!watches_for_silence() || !service_->is_silent(endpoint_, attempt_began_)) return false;
  if (!silence_reported_) report(Failure::silence);
  silence_reported_ = true;
  const std::uint32_t before = endpoint_;
  if (!may_try_again(Failure::silence) || !pick()) return false;
  service_->release(before);
  if (endpoint_ == before) return false;
  connection_.reset();
  service_->retries.add();
  return true;
}

// Tells balancer and health how the attempt went.
void Exchange::report(Failure failure) {
  if (failure == Failure::client || client_gone()) return;
  upstream::LocalEndpoint& local = service_->endpoint(endpoint_);
  const Instant now = worker_.loop().now();
  const bool failed = failure != Failure::none;
  service_->observe(endpoint_, now - attempt_began_, failed, now);
  if (failed) local.failures.add();
  if (failure == Failure::connect) {
    local.connect_failures.add();
    local.idle.clear();  // whoever does not listen any more has no use for these either
    worker_.health().report_connect_failure(service_->shared_service(), endpoint_);
    return;
  }
  const std::uint32_t in_a_row = balance::count_outcome(local.endpoint->load, failed);
  const auto& outlier = service_->config().outlier_ejection;
  if (outlier && in_a_row >= outlier->consecutive_failures) {
    worker_.health().report_failures(service_->shared_service(), endpoint_, in_a_row);
  }
}

io::Task<> Exchange::answer_failure(Failure failure) {
  switch (failure) {
    case Failure::none: co_await answer_error(503, "no-healthy-endpoint"); break;
    case Failure::connect: co_await answer_error(503, "connect-failed"); break;
    case Failure::silence:
    case Failure::timeout: co_await answer_error(504, "upstream-timeout"); break;
    case Failure::protocol: co_await answer_error(502, "upstream-protocol"); break;
    case Failure::reset:
    case Failure::status: co_await answer_error(502, "upstream-reset"); break;
    case Failure::client:
      keep_alive_ = false;
      if (short_of_ != nullptr) {
        co_await answer_error(503, short_of_);
        break;
      }
      if (upload_end() == RelayEnd::complete) reason_ = why_cut_short(RelayEnd::receiver_gone);
      if (upload_end() == RelayEnd::sender_gone && client_.descriptor().peer_hung_up()) {
        co_await answer_error(400, "bad-request");  // RFC 9112 8: it ended before its body did
      } else if (upload_end() == RelayEnd::sender_gone) {
        co_await answer_error(408, "request-timeout");
      } else if (upload_end() == RelayEnd::sender_slow) {
        session_.front().slow_clients.add();
        co_await answer_error(408, "request-timeout");
      }
      if (upload_end() == RelayEnd::too_large) co_await answer_error(413, "request-too-large");
      if (upload_end() == RelayEnd::sender_broken) co_await answer_error(400, "bad-request");
      break;
  }
}

}  // namespace holdfast::proxy

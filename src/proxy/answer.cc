// Exchange, last part: the endpoint's answer, rewritten for the client and relayed as it comes.
//
// The answer is received behind some room, so that the new head can be put directly before the body: head and body of a
// small answer leave in one send.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "io/loop.h"
#include "proxy/exchange.h"
#include "proxy/tunnel.h"

namespace holdfast::proxy {
namespace {

constexpr std::size_t kHeadroom = 1024;  // how much longer than the endpoint's the rewritten head may be
constexpr int kInterimAnswersMax = 8;    // 1xx before the final answer

}  // namespace

void Exchange::expect_answer() {
  out_begin_ = out_end_ = kHeadroom;
  answer_scanner_.reset();
  interim_answers_ = 0;
  silence_reported_ = false;
}

// While the request is still being sent, only the deadline of the whole counts.
Deadline Exchange::answer_due() const {
  if (uploading()) return deadline_;
  const Instant from = answered_ == Instant{} ? attempt_began_ : worker_.loop().now();
  return std::min(deadline_, from + service_->config().timeouts.per_try);
}

// A request that could go elsewhere looks around earlier: is anybody answered? One that could do without: has the
// breaker opened?
Deadline Exchange::look_for_answer() const {
  Deadline look = answer_due();
  if (watches_for_silence()) look = std::min(look, worker_.loop().now() + service_->patience());
  if (may_stop_waiting()) look = std::min(look, look_at_breaker());
  return look;
}

// `error` is how the wait for bytes ended.
Exchange::Ended Exchange::read_answer_head(int error) {
  if (error == ETIMEDOUT && worker_.loop().now() < answer_due()) {
    if (waits_in_vain()) return Failure::breaker;
    return leave_silent_endpoint() ? Ended(Failure::silence) : std::nullopt;
  }
  if (error == ETIMEDOUT) return uploading() ? Failure::client : Failure::timeout;
  if (error != 0) return uploading() || upload_end() == RelayEnd::complete ? Failure::reset : Failure::client;
  if (!out_) out_ = worker_.buffers().lend();
  if (!out_) return ran_out_of_memory();
  const std::span<char> room = out_.all().subspan(out_end_);
  const io::Moved got = connection_->stream->try_read(room.first(room.size() - http::kChunkTailroom));
  if (got.error == EAGAIN) return std::nullopt;
  if (!got.ok() || got.ended()) return out_end_ == out_begin_ ? Failure::reset : Failure::protocol;
  if (answered_ == Instant{}) {
    answered_ = worker_.loop().now();
    service_->hear(endpoint_, attempt_began_, answered_);
  }
  out_end_ += got.bytes;
  return parse_answer_head();
}

// One read may bring several interim answers and the final one.
Exchange::Ended Exchange::parse_answer_head() {
  while (out_begin_ != out_end_) {
    const std::string_view bytes(out_.data() + out_begin_, out_end_ - out_begin_);
    const bool full = out_end_ + http::kChunkTailroom == out_.size();
    if (!answer_scanner_.should_parse(bytes) && !full) return std::nullopt;
    const http::RequestHead& request = heads_->request;
    const http::ParseOutcome outcome =
        http::parse_response_head(bytes, listener_->head_limits, request.method, heads_->response, request.websocket);
    if (outcome.status == http::ParseStatus::malformed) {
      reason_ = outcome.reason;
      return Failure::protocol;
    }
    if (outcome.status == http::ParseStatus::incomplete) {
      if (full && !make_room_for_answer_head()) return ran_out_of_memory();
      return std::nullopt;
    }
    out_begin_ += outcome.head_bytes;
    const std::uint16_t status = heads_->response.status;
    if (status >= 200 || status == 101) {
      if (!begin_answer_body()) return Failure::protocol;
      return is_retried_status(status) ? Failure::status : Failure::none;
    }
    if (++interim_answers_ > kInterimAnswersMax) return Failure::protocol;
    answer_scanner_.reset();
    forward_interim();
    if (outbox_.error() != 0) return Failure::client;
    if (!outbox_.empty()) return std::nullopt;
  }
  out_begin_ = out_end_ = kHeadroom;
  return std::nullopt;
}

// A head that comes in pieces, or behind interim answers that the client is slow to take.
io::Task<Exchange::Failure> Exchange::wait_for_answer_head() {
  while (true) {
    Ended ended;
    if (outbox_.empty()) {
      const int error = co_await connection_->stream->readable(look_for_answer());
      ended = read_answer_head(error);
    } else {
      const io::Moved sent = co_await client_.write_all(outbox_.rest(), deadline_);
      outbox_.flushed(sent);
      ended = sent.ok() ? parse_answer_head() : Failure::client;
    }
    if (ended) co_return *ended;
  }
}

// What has come of the body is looked at before the head is passed on: an answer whose framing is broken from its start
// becomes a 502, and not an answer that is cut.
bool Exchange::begin_answer_body() {
  const http::ResponseHead& answer = heads_->response;
  answer_body_.start(answer.framing, answer.content_length, listener_->head_limits);
  answer_piece_ = answer_body_.take({out_.data() + out_begin_, out_end_ - out_begin_});
  out_begin_ += answer_piece_.consumed;
  if (answer_piece_.error.empty()) return true;
  reason_ = answer_piece_.error;
  return false;
}

// A head that is larger than the buffer gets one that holds the largest the limit lets through. What came before it
// (interim answers) makes room first.
bool Exchange::make_room_for_answer_head() {
  const std::size_t held = out_end_ - out_begin_;
  if (out_begin_ > kHeadroom) {
    std::memmove(out_.data() + kHeadroom, out_.data() + out_begin_, held);
  } else {
    const std::size_t needed = kHeadroom + listener_->head_limits.header_bytes + worker_.buffers().buffer_bytes();
    check(out_.size() < needed, "the parser refuses a head that is larger than its limit");
    io::Buffer larger = worker_.buffers().lend_sized(needed);
    if (!larger) return false;
    std::memcpy(larger.data() + kHeadroom, out_.data() + out_begin_, held);
    out_ = std::move(larger);
  }
  out_begin_ = kHeadroom;
  out_end_ = kHeadroom + held;
  return true;
}

// A request that was streamed cannot be sent again: its answer is as good as any.
bool Exchange::is_retried_status(std::uint16_t status) const {
  const std::vector<std::uint16_t>& listed = service_->config().retries.on.statuses;
  return !streamed_ && std::find(listed.begin(), listed.end(), status) != listed.end();
}

// 100 was our own to give; others (103) go to clients that understand them (RFC 9110 15.2).
void Exchange::forward_interim() {
  outbox_.reset();
  if (heads_->response.status == 100 || heads_->request.minor_version == 0) return;
  http::ResponseRewrite rewrite;
  rewrite.keep_alive = true;
  const std::optional<std::size_t> size = http::write_response_head(heads_->response, rewrite, worker_.scratch());
  if (size) outbox_.send(client_, worker_.scratch().first(*size));
}

// The exchange on this connection is complete: the next request of this loop may use it.
void Exchange::keep_connection() {
  if (connection_ == nullptr) return;
  const Instant now = worker_.loop().now();
  upstream::LocalEndpoint& endpoint = service_->endpoint(endpoint_);
  endpoint.idle.put(std::move(connection_), now, service_->config().limits.idle_connections_per_endpoint);
}

// Passes on what is there of the answer. True when that was all, and the client took it: then there is nothing to wait
// for.
bool Exchange::answer_at_once() {
  const http::ResponseHead& answer = heads_->response;
  const http::Framing framing = http::client_framing(answer, heads_->request.minor_version);
  // A body still on its way up when the answer comes is not waited for: what it leaves would be read as a request.
  if (!session_may_stay() || !request_complete() || framing == http::Framing::until_close) keep_alive_ = false;
  if (!request_body_.done()) session_.linger = true;
  status_ = answer.status;
  answer_begun_ = true;

  const bool tunnelled = answer.status == 101;
  reusable_ = answer.keep_alive && request_complete() && !tunnelled;
  keep_answer();
  // A complete answer frees its connection before the client is written to: another request may use it meanwhile.
  if (answer_body_.done() && reusable_ && out_begin_ == out_end_) keep_connection();

  send_answer_start(framing, answer_piece_);
  if (!answer_body_.done() || tunnelled || uploading() || !outbox_.empty() || outbox_.error() != 0) return false;
  finish_answer(RelayEnd::complete);
  return true;
}

// Head and first piece of the body. The head goes directly before the piece where there is room, and that is nearly
// always: one send carries both.
void Exchange::send_answer_start(http::Framing framing, BodyReader::Piece piece) {
  const http::ResponseHead& answer = heads_->response;
  http::ResponseRewrite rewrite;
  rewrite.framing = framing;
  rewrite.content_length = answer.content_length;
  rewrite.keep_alive = keep_alive_;
  rewrite.client_minor_version = heads_->request.minor_version;
  rewrite.websocket = answer.status == 101;
  std::array<http::Field, 2> extra;
  std::size_t extras = 0;
  std::string cookie;
  if (set_sticky_) {
    cookie = service_->config().balance.sticky_cookie;
    cookie.append("=").append(service_->token_of(endpoint_).view()).append("; Path=/; HttpOnly");
    extra[extras++] = {.name = "Set-Cookie", .value = cookie, .id = http::Name::set_cookie};
  }
  if (stood_in_for_ != nullptr) extra[extras++] = {.name = kDegraded, .value = stood_in_for_->name()};
  rewrite.extra = std::span(extra).first(extras);
  const std::optional<std::size_t> head = http::write_response_head(answer, rewrite, worker_.scratch());
  check(head.has_value(), "a response head within its limits fits the scratch room");
  const std::span<const char> head_bytes = worker_.scratch().first(*head);

  const bool trailers = answer_body_.done() && !answer_body_.trailers().empty();
  const std::span<char> body = frame(framing, piece.data, answer_body_.done() && !trailers, {});
  outbox_.reset();
  if (!body.empty() && body.data() - out_.data() >= static_cast<std::ptrdiff_t>(*head)) {
    char* const start = body.data() - *head;
    std::memcpy(start, head_bytes.data(), *head);
    outbox_.send(client_, {start, *head + body.size()});
  } else {
    outbox_.send(client_, head_bytes);
    outbox_.send(client_, body);
  }
  if (trailers && framing == http::Framing::chunked) {
    std::string tail = "0\r\n";
    tail.append(answer_body_.trailers()).append("\r\n");
    outbox_.send(client_, tail);
  }
}

// What the client did not take at once, and what had not come yet.
io::Task<> Exchange::relay_rest_of_answer() {
  const config::ListenerLimits& limits = listener_->config.limits;
  if (!outbox_.empty()) {
    const Deadline stalled = worker_.loop().now() + limits.stall_timeout;
    const io::Moved sent = co_await client_.write_all(outbox_.rest(), std::min(deadline_, stalled));
    outbox_.flushed(sent);
  }
  RelayEnd end = RelayEnd::complete;
  if (outbox_.error() != 0) {
    const bool too_late = worker_.loop().now() >= deadline_;
    if (outbox_.error() != ETIMEDOUT) end = RelayEnd::receiver_gone;
    if (outbox_.error() == ETIMEDOUT) end = too_late ? RelayEnd::too_late : RelayEnd::receiver_slow;
  }
  if (end == RelayEnd::complete && heads_->response.status == 101) {
    co_await join_tunnel();
  } else if (end == RelayEnd::complete && !answer_body_.done()) {
    Room room{.pool = worker_.buffers(), .buffer = out_, .surplus = {}};
    const Relay relay{.framing = http::client_framing(heads_->response, heads_->request.minor_version),
                      .stall_timeout = limits.stall_timeout,
                      .sender_rate = {},
                      .receiver_rate = {limits.min_body_rate, limits.body_rate_grace},
                      .deadline = deadline_};
    end = co_await relay_body(*connection_->stream, client_, &answer_body_, relay, &room);
    if (end == RelayEnd::complete && reusable_ && room.surplus.empty()) keep_connection();
  }
  co_await end_upload();
  finish_answer(end);
}

// Both sides have agreed to a websocket: what came early is passed on, then they are joined.
io::Task<> Exchange::join_tunnel() {
  keep_alive_ = false;
  tunnelled_ = true;
  const config::ListenerLimits& limits = listener_->config.limits;
  const Deadline deadline = worker_.loop().now() + limits.stall_timeout;
  const std::span<const char> down(out_.data() + out_begin_, out_end_ - out_begin_);
  const std::span<const char> up(in_.data() + begin_, end_ - begin_);
  const io::Moved to_client = co_await client_.write_all(down, deadline);
  const io::Moved to_server = co_await connection_->stream->write_all(up, deadline);
  if (!to_client.ok() || !to_server.ok()) co_return;
  const TunnelEnd end = co_await tunnel(client_, *connection_->stream, worker_.buffers(), limits.idle_timeout);
  response_bytes_ = end.to_client;
}

std::string_view Exchange::why_cut_short(RelayEnd end) const {
  if (client_.descriptor().cancelled()) return "drain-timeout";
  if (client_gone() || end == RelayEnd::receiver_gone) return "client-gone";
  if (end == RelayEnd::receiver_slow) return "client-too-slow";
  if (end == RelayEnd::no_memory) return "out-of-memory";
  return end == RelayEnd::too_late ? "upstream-timeout" : "upstream-cut-short";
}

void Exchange::finish_answer(RelayEnd end) {
  if (response_bytes_ == 0) response_bytes_ = answer_body_.bytes();
  out_ = io::Buffer{};
  if (end == RelayEnd::complete) {
    linger_over_surplus();
    return;
  }
  keep_alive_ = false;
  reason_ = why_cut_short(end);
  if (end == RelayEnd::receiver_slow) session_.front().slow_clients.add();
  if (end == RelayEnd::no_memory) worker_.refused_by_memory.add();
  session_.linger = false;
  client_.reset_on_close();  // cut short: the client must not take it for a complete answer
}

}  // namespace holdfast::proxy

// Exchange, third part: the endpoint's answer, rewritten for the client and relayed as it comes.
//
// The answer is received behind some room, so that the new head can be put directly before the body: head and body of a
// small answer leave in one send.
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

io::Task<Exchange::Failure> Exchange::read_answer_head() {
  io::Stream& stream = *connection_->stream;
  http::HeadEndScanner scanner;
  out_begin_ = out_end_ = kHeadroom;
  int interim = 0;
  while (true) {
    const Deadline first_byte = worker_.loop().now() + service_->config().timeouts.per_try;
    // While the request is still being sent, only the deadline of the whole counts.
    const Deadline deadline = uploading_ ? deadline_ : std::min(deadline_, first_byte);
    const int error = co_await stream.readable(deadline);
    if (error == ETIMEDOUT) co_return Failure::timeout;
    if (error != 0) co_return uploading_ || upload_end_ == RelayEnd::complete ? Failure::reset : Failure::client;
    if (!out_) out_ = worker_.buffers().lend();
    const std::span<char> room = out_.all().subspan(out_end_);
    const io::Moved got = stream.try_read(room.first(room.size() - http::kChunkTailroom));
    if (got.error == EAGAIN) continue;
    if (!got.ok() || got.ended()) co_return out_end_ == out_begin_ ? Failure::reset : Failure::protocol;
    if (answered_ == Instant{}) answered_ = worker_.loop().now();
    out_end_ += got.bytes;

    while (true) {  // one read may bring several interim answers and the final one
      const std::string_view bytes(out_.data() + out_begin_, out_end_ - out_begin_);
      const bool full = out_end_ + http::kChunkTailroom == out_.size();
      if (!scanner.should_parse(bytes) && !full) break;
      const http::RequestHead& request = heads_->request;
      const http::ParseOutcome outcome =
          http::parse_response_head(bytes, listener_->head_limits, request.method, heads_->response, request.websocket);
      if (outcome.status == http::ParseStatus::malformed) {
        record_.reason = outcome.reason;
        co_return Failure::protocol;
      }
      if (outcome.status == http::ParseStatus::incomplete) {
        if (full) co_return Failure::protocol;
        break;
      }
      out_begin_ += outcome.head_bytes;
      const std::uint16_t status = heads_->response.status;
      if (status >= 200 || status == 101) {
        for (const std::uint16_t listed : service_->config().retries.on.statuses) {
          if (status == listed) co_return Failure::status;
        }
        co_return Failure::none;
      }
      if (++interim > kInterimAnswersMax) co_return Failure::protocol;
      const bool passed = co_await forward_interim();
      if (!passed) co_return Failure::client;
      scanner.reset();
      if (out_begin_ == out_end_) {
        out_begin_ = out_end_ = kHeadroom;
        break;
      }
    }
  }
}

// 100 was our own to give; others (103) go to clients that understand them (RFC 9110 15.2).
io::Task<bool> Exchange::forward_interim() {
  if (heads_->response.status == 100 || heads_->request.minor_version == 0) co_return true;
  http::ResponseRewrite rewrite;
  rewrite.keep_alive = true;
  const std::optional<std::size_t> size = http::write_response_head(heads_->response, rewrite, worker_.scratch());
  if (!size) co_return true;
  const std::string text(worker_.scratch().data(), *size);
  const io::Moved sent = co_await client_.write_all(text, deadline_);
  co_return sent.ok();
}

// The exchange on this connection is complete: the next request of this loop may use it.
void Exchange::keep_connection() {
  if (connection_ == nullptr) return;
  const Instant now = worker_.loop().now();
  upstream::LocalEndpoint& endpoint = service_->endpoint(endpoint_);
  endpoint.idle.put(std::move(connection_), now, service_->config().limits.idle_connections_per_endpoint);
}

io::Task<> Exchange::relay_answer() {
  const http::ResponseHead& answer = heads_->response;
  const bool tunnelled = answer.status == 101;
  http::ResponseRewrite rewrite;
  rewrite.client_minor_version = heads_->request.minor_version;
  rewrite.framing = http::client_framing(answer, heads_->request.minor_version);
  rewrite.content_length = answer.content_length;
  rewrite.websocket = tunnelled;
  // A body still on its way up when the answer comes is not waited for: what it leaves would be read as a request.
  if (worker_.draining() || uploading_ || !request_body_.done() || rewrite.framing == http::Framing::until_close) {
    keep_alive_ = false;
  }
  rewrite.keep_alive = keep_alive_;
  std::string cookie;
  http::Field set_cookie{.name = "Set-Cookie", .value = {}, .id = http::Name::set_cookie};
  if (set_sticky_) {
    cookie = service_->config().balance.sticky_cookie;
    cookie.append("=").append(service_->token_of(endpoint_).view()).append("; Path=/; HttpOnly");
    set_cookie.value = cookie;
    rewrite.extra = {&set_cookie, 1};
  }
  const std::optional<std::size_t> head = http::write_response_head(answer, rewrite, worker_.scratch());
  check(head.has_value(), "a response head within its limits fits the scratch room");
  record_.status = answer.status;
  answer_begun_ = true;

  answer_body_.start(answer.framing, answer.content_length, listener_->head_limits);
  const BodyReader::Piece piece = answer_body_.take({out_.data() + out_begin_, out_end_ - out_begin_});
  out_begin_ += piece.consumed;
  bool broken = !piece.error.empty();
  const bool reusable = answer.keep_alive && !uploading_ && request_body_.done() && !tunnelled;
  if (answer_body_.done() && !broken && reusable && out_begin_ == out_end_) keep_connection();

  // The head goes directly before the body where there is room, and that is nearly always.
  const bool last = answer_body_.done() && answer_body_.trailers().empty();
  const std::span<char> body = frame(rewrite.framing, piece.data, last, {});
  const Duration stall = listener_->config.limits.stall_timeout;
  io::Moved sent;
  if (body.empty() || body.data() - out_.data() < static_cast<std::ptrdiff_t>(*head)) {
    const std::string copy(worker_.scratch().data(), *head);
    sent = co_await client_.write_all(copy, worker_.loop().now() + stall);
    if (sent.ok() && !body.empty()) sent = co_await client_.write_all(body, worker_.loop().now() + stall);
  } else {
    char* const start = body.data() - *head;
    std::memcpy(start, worker_.scratch().data(), *head);
    const std::span<const char> whole(start, *head + body.size());
    sent = co_await client_.write_all(whole, worker_.loop().now() + stall);
  }

  if (tunnelled && sent.ok()) {
    keep_alive_ = false;
    const std::span<const char> early(out_.data() + out_begin_, out_end_ - out_begin_);
    if (!early.empty()) sent = co_await client_.write_all(early, worker_.loop().now() + stall);
    const std::span<const char> behind(in_.data() + begin_, end_ - begin_);
    io::Moved up;
    if (!behind.empty()) up = co_await connection_->stream->write_all(behind, worker_.loop().now() + stall);
    if (sent.ok() && up.ok()) {
      const TunnelEnd end =
          co_await tunnel(client_, *connection_->stream, worker_.buffers(), listener_->config.limits.idle_timeout);
      record_.response_bytes = end.to_client;
    }
    co_return;
  }

  RelayEnd end = sent.ok() ? RelayEnd::complete : RelayEnd::receiver_gone;
  if (broken) end = RelayEnd::sender_broken;
  const bool trailers_left = answer_body_.done() && !answer_body_.trailers().empty();
  if (end == RelayEnd::complete && trailers_left && rewrite.framing == http::Framing::chunked) {
    std::string tail = "0\r\n";
    tail.append(answer_body_.trailers()).append("\r\n");
    sent = co_await client_.write_all(tail, worker_.loop().now() + stall);
    if (!sent.ok()) end = RelayEnd::receiver_gone;
  } else if (end == RelayEnd::complete && !answer_body_.done()) {
    std::span<char> room = out_.all();
    std::span<char> surplus;
    const Relay relay{.framing = rewrite.framing, .stall_timeout = stall};
    end = co_await relay_body(*connection_->stream, client_, &answer_body_, relay, &room, &surplus);
    if (end == RelayEnd::complete && reusable && surplus.empty()) keep_connection();
  }
  record_.response_bytes = answer_body_.bytes();

  co_await end_upload();
  if (end != RelayEnd::complete) {
    // Cut short: a reset, so that the client cannot take it for a complete answer.
    keep_alive_ = false;
    record_.reason = end == RelayEnd::receiver_gone ? "client-gone" : "upstream-cut-short";
    if (end != RelayEnd::receiver_gone) client_.reset_on_close();
  }
  out_ = io::Buffer{};
}

}  // namespace holdfast::proxy

// Exchange, third part: one attempt at one endpoint. Connect if need be, send, and carry up what follows of the body.
#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "http/write_request.h"
#include "io/loop.h"
#include "proxy/exchange.h"

namespace holdfast::proxy {

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
  ++endpoint.unanswered;
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
  rewrite.timeout_ms = time_left_ms();
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
  begin_call();
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

}  // namespace holdfast::proxy

#include "client/incoming.h"

#include "http/parse.h"

namespace holdfast::client {
namespace {

constexpr int kInterimAnswersMax = 8;

}  // namespace

Incoming::Incoming(std::unique_ptr<Connection> connection, const http::ResponseHead& head, std::string etag,
                   io::Stop& stop)
    : connection_(std::move(connection)),
      status_(head.status),
      etag_(std::move(etag)),
      keep_alive_(head.keep_alive),
      body_(head),
      on_stop_(stop, [this] {
        if (connection_ != nullptr) connection_->cancel();
      }) {}

io::Task<Result<std::unique_ptr<Incoming>>> Incoming::read_head(std::unique_ptr<Connection> connection,
                                                                http::Method method, Deadline deadline,
                                                                Ref<io::Stop> stop) {
  Connection& waiting = *connection;
  const io::Stop::Hook end(*stop, [&waiting] { waiting.cancel(); });
  http::ResponseHead head;
  int interim = 0;
  while (true) {
    std::string& received = connection->received();
    const http::ParseOutcome outcome = http::parse_response_head(received, http::Limits{}, method, head);
    if (outcome.status == http::ParseStatus::malformed) {
      co_return fail(Code::protocol, Side::upstream, std::string(outcome.reason));
    }
    if (outcome.status == http::ParseStatus::complete) {
      const bool final = head.status >= 200;
      if (!final && ++interim > kInterimAnswersMax) {
        co_return fail(Code::protocol, Side::upstream, "too many interim answers");
      }
      const http::Field* const tag = head.find(http::Name::etag);
      std::string etag(tag == nullptr ? "" : tag->value);
      received.erase(0, outcome.head_bytes);  // from here on the views of `head` dangle; its numbers do not
      if (final) co_return std::make_unique<Incoming>(std::move(connection), head, std::move(etag), *stop);
      continue;
    }
    const Result<bool> more = co_await connection->receive(deadline);
    if (!more) co_return std::unexpected<Error>(more.error());
    if (!*more) co_return fail(Code::closed, Side::upstream, "the connection ended before an answer");
  }
}

io::Task<Result<std::string>> Incoming::next(Deadline deadline) {
  std::string piece;
  while (!done_) {
    const BodyDecoder::Status status = body_.take(connection_->received(), piece);
    if (status == BodyDecoder::Status::malformed) {
      co_return fail(Code::protocol, Side::upstream, "the chunks of the answer are malformed");
    }
    done_ = status == BodyDecoder::Status::done;
    if (done_ || !piece.empty()) break;
    const Result<bool> more = co_await connection_->receive(deadline);
    if (!more) co_return std::unexpected<Error>(more.error());
    if (*more) continue;
    if (!body_.may_end_here()) co_return fail(Code::closed, Side::upstream, "the connection ended within an answer");
    done_ = true;
  }
  co_return piece;
}

std::unique_ptr<Connection> Incoming::release_if_reusable() {
  if (!done_ || !keep_alive_ || !connection_->quiet()) return nullptr;
  return std::move(connection_);
}

}  // namespace holdfast::client

#include "client/origin.h"

#include <algorithm>

namespace holdfast::client {
namespace {

// Counts who uses the origin, however an exchange ends.
class InUse : Pinned {
 public:
  explicit InUse(std::size_t& count) : count_(count) { ++count_; }
  ~InUse() { --count_; }

 private:
  std::size_t& count_;
};

Started failed(Error error, bool sent) { return {std::unexpected<Error>(std::move(error)), sent}; }

}  // namespace

std::unique_ptr<Connection> Origin::take_idle() {
  while (!idle_.empty()) {
    std::unique_ptr<Connection> connection = std::move(idle_.back());
    idle_.pop_back();
    if (connection->quiet()) return connection;
  }
  return nullptr;
}

io::Task<Exchanged> Origin::exchange(Request request, std::size_t body_max, Deadline deadline) {
  if (in_use_ >= limits_.connections_max) {
    co_return Exchanged{fail(Code::overloaded, Side::local, "too many requests at once to " + to_string(url_)), false};
  }
  const InUse counted(in_use_);
  Started started = co_await begin(take_idle(), std::move(request), deadline);
  if (!started.incoming) co_return Exchanged{std::unexpected<Error>(std::move(started.incoming.error())), started.sent};
  Incoming& incoming = **started.incoming;
  Response response{incoming.status(), {}, incoming.etag()};
  while (true) {
    Result<std::string> piece = co_await incoming.next(deadline);
    if (!piece) co_return Exchanged{pass(piece, to_string(url_)), true};
    if (piece->empty()) break;
    if (response.body.size() + piece->size() > body_max) {
      co_return Exchanged{fail(Code::overloaded, Side::upstream, "the answer of " + to_string(url_) + " is too long"),
                          true};
    }
    response.body += *piece;
  }
  std::unique_ptr<Connection> connection = incoming.release_if_reusable();
  if (connection != nullptr && idle_.size() < limits_.idle_max && !stop_.requested()) {
    idle_.push_back(std::move(connection));
  }
  co_return Exchanged{std::move(response), true};
}

io::Task<Started> Origin::start(Request request, Deadline deadline) {
  Started started = co_await begin(nullptr, std::move(request), deadline);
  co_return started;
}

io::Task<Started> Origin::begin(std::unique_ptr<Connection> connection, Request request, Deadline deadline) {
  if (stop_.requested()) co_return failed({Code::stopped, Side::local, "closed: " + to_string(url_)}, false);
  Result<std::string> bytes = write_request(request, authority(url_));
  if (!bytes) co_return failed(std::move(bytes.error()), false);
  if (connection == nullptr) {
    const Deadline connect_by = std::min(deadline, loop_.now() + limits_.connect_max);
    Result<std::unique_ptr<Connection>> opened = co_await Connection::open(loop_, url_, tls_, connect_by, stop_);
    if (!opened) co_return failed(std::move(opened.error()), false);
    connection = std::move(*opened);
  }
  Connection& mine = *connection;
  const std::uint64_t before = mine.sent();
  {
    const io::Stop::Hook end(stop_, [&mine] { mine.cancel(); });
    const Result<> sent = co_await mine.send(std::move(*bytes), deadline);
    if (!sent)
      co_return failed({sent.error().code, Side::upstream, sent.error().what + ": " + to_string(url_)},
                       mine.sent() > before);
  }
  Result<std::unique_ptr<Incoming>> incoming =
      co_await Incoming::read_head(std::move(connection), request.method, deadline, stop_);
  if (!incoming)
    co_return failed({incoming.error().code, Side::upstream, incoming.error().what + ": " + to_string(url_)}, true);
  co_return Started{std::move(incoming), true};
}

void Origin::close() {
  stop_.request();
  idle_.clear();
}

}  // namespace holdfast::client

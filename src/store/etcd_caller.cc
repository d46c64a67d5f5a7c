#include "store/etcd_caller.h"

#include <algorithm>

#include "store/etcd_codec.h"

namespace holdfast::store::etcd {
namespace {

constexpr std::size_t kConnectionsMax = 64;
constexpr unsigned kDoublingsMax = 6;

Error of_the_store(Error error) {
  switch (error.code) {
    case Code::stopped:
    case Code::invalid:
    case Code::overloaded:
    case Code::timed_out:
    case Code::closed:
    case Code::denied:
    case Code::refused: break;
    case Code::missing: error.code = Code::refused; break;  // no such name: it cannot be reached
    default: error.code = Code::closed; break;              // no answer that we could read
  }
  error.side = Side::store;
  return error;
}

Reply failed(Error error, bool surely_not_done) {
  return {std::unexpected<Error>(of_the_store(std::move(error))), surely_not_done, 0, {}};
}

// At least one millisecond: etcd takes none for no limit.
std::string grpc_timeout(Duration left) {
  constexpr Duration kMost = 24h;
  return std::to_string(std::clamp<std::int64_t>(left / 1ms, 1, kMost / 1ms)) + "m";
}

}  // namespace

Caller::Caller(io::Loop& loop, const EtcdOptions& options, const std::vector<client::Url>& urls,
               std::shared_ptr<const client::TlsSettings> tls)
    : loop_(loop),
      idle_(loop),
      user_(options.user),
      password_(options.password),
      endpoints_(urls.size()),
      prng_(static_cast<std::uint64_t>(io::read_clock().time_since_epoch().count())) {
  client::OriginLimits limits;
  limits.connections_max = kConnectionsMax;
  for (const client::Url& url : urls) origins_.push_back(std::make_unique<client::Origin>(loop, url, limits, tls));
}

client::Request Caller::request(const Call& call) const {
  client::Request request;
  request.method = http::Method::post;
  request.target = call.path;
  request.content_type = "application/json";
  request.body = call.body;
  request.fields.emplace_back("Accept", "application/json");
  // Without it a member that has lost its cluster waits, and we with it.
  request.fields.emplace_back("Grpc-Metadata-hasleader", "true");
  if (!token_.empty()) request.fields.emplace_back("Authorization", token_);
  return request;
}

io::Task<Reply> Caller::call(Call call, Deadline deadline) {
  const Counted counted(*this);
  Reply last = failed({Code::timed_out, Side::store, "no time is left"}, true);
  std::vector<std::size_t> asked = call.avoid;
  std::size_t unreachable = 0;  // one after another
  bool logged_in_again = false;
  for (std::size_t attempts = 0; loop_.now() < deadline;) {
    const std::size_t endpoint = endpoints_.choose(loop_.now(), asked);
    const bool again = attempts >= origins_.size();
    if (again) co_await io::sleep_until(loop_, std::min(deadline, endpoints_.ready_at(endpoint)), stop_);
    if (stop_.requested()) co_return failed({Code::stopped, Side::local, "the store is closed"}, last.surely_not_done);
    if (loop_.now() >= deadline) break;
    const auto round = static_cast<unsigned>(std::min<std::size_t>(attempts / origins_.size(), kDoublingsMax));
    const bool patient = !call.repeatable || origins_.size() == 1;
    const Deadline answer_by = patient ? deadline : std::min(deadline, loop_.now() + kAttemptMax * (1U << round));
    Attempt attempt = co_await this->attempt(endpoint, call, answer_by);
    last = std::move(attempt.reply);
    last.endpoint = endpoint;
    if (last.body || last.body.error().code == Code::stopped) co_return last;
    if (!call.repeatable && !last.surely_not_done) co_return last;
    if (attempt.token_refused && !std::exchange(logged_in_again, true)) continue;
    unreachable = attempt.unreachable ? unreachable + 1 : 0;
    if (!attempt.try_another || unreachable >= origins_.size()) co_return last;
    ++attempts;
    asked.push_back(endpoint);
    if (attempts % origins_.size() == 0) asked = call.avoid;
  }
  co_return last;
}

io::Task<Caller::Attempt> Caller::attempt(std::size_t endpoint, Call call, Deadline deadline) {
  Attempt result{failed({Code::timed_out, Side::store, "no time is left"}, true), false, false, false};
  if (loop_.now() >= deadline) co_return result;
  if (!user_.empty() && token_.empty()) {
    Result<> logged_in = co_await log_in(endpoint, deadline);
    if (!logged_in) {
      result.try_another = logged_in.error().code != Code::denied;
      result.reply = failed(std::move(logged_in.error()), true);
      co_return result;
    }
  }
  if (!call.repeatable && origins_.size() > 1 && !endpoints_.worked_since(endpoint, loop_.now() - kFreshness)) {
    const bool alive = co_await shows_life(endpoint, std::min(deadline, loop_.now() + kSignOfLifeMax));
    if (!alive) {
      result.reply = failed({Code::timed_out, Side::store, name(endpoint) + " gives no sign of life"}, true);
      result.try_another = true;
      co_return result;
    }
  }
  client::Request asking = request(call);
  asking.fields.emplace_back("Grpc-Timeout", grpc_timeout(deadline - loop_.now()));
  const BootInstant since = io::read_boot_clock();
  client::Exchanged got = co_await origins_[endpoint]->exchange(std::move(asking), kAnswerBytesMax, deadline);
  if (!got.response) {
    const Code code = got.response.error().code;
    if (code != Code::stopped && code != Code::overloaded) endpoints_.failed(endpoint, loop_.now(), prng_);
    result.unreachable = !got.sent && code != Code::overloaded;
    result.try_another = code != Code::invalid;
    result.reply = failed(std::move(got.response.error()), !got.sent);
    co_return result;
  }
  if (got.response->status == 200) {
    endpoints_.worked(endpoint, loop_.now());
    result.reply = Reply{std::move(got.response->body), false, endpoint, since};
    co_return result;
  }
  Refusal refusal = read_error(got.response->status, got.response->body);
  result.token_refused = refusal.token_refused && !user_.empty();
  if (refusal.token_refused) token_.clear();
  if (refusal.try_another) {
    endpoints_.failed(endpoint, loop_.now(), prng_);
  } else {
    endpoints_.worked(endpoint, loop_.now());
  }
  refusal.error.what += ": " + name(endpoint);
  result.try_another = refusal.try_another;
  // What etcd itself has said keeps its code: stale, missing and the rest mean something to the caller.
  result.reply = Reply{std::unexpected<Error>(std::move(refusal.error)), refusal.surely_not_done, endpoint, since};
  co_return result;
}

io::Task<bool> Caller::shows_life(std::size_t endpoint, Deadline deadline) {
  constexpr std::size_t kVersionBytesMax = 4096;
  client::Request asking;
  asking.target = "/version";
  client::Exchanged got = co_await origins_[endpoint]->exchange(std::move(asking), kVersionBytesMax, deadline);
  const bool alive = got.response.has_value();
  if (!alive) endpoints_.failed(endpoint, loop_.now(), prng_);
  co_return alive;
}

io::Task<Result<>> Caller::log_in(std::size_t endpoint, Deadline deadline) {
  constexpr std::size_t kTokenBytesMax = std::size_t{16} * 1024;
  Call call;
  call.path = "/v3/auth/authenticate";
  call.body = authenticate_request(user_, password_);
  client::Request asking = request(call);
  client::Exchanged got = co_await origins_[endpoint]->exchange(std::move(asking), kTokenBytesMax, deadline);
  if (!got.response) {
    endpoints_.failed(endpoint, loop_.now(), prng_);
    co_return pass(got.response, "log in");
  }
  if (got.response->status != 200) {
    Error refused = read_error(got.response->status, got.response->body).error;
    refused.what += ": log in as " + user_;
    co_return std::unexpected<Error>(std::move(refused));
  }
  Result<std::string> token = read_token(got.response->body);
  if (!token) co_return pass(token, "log in");
  token_ = std::move(*token);
  co_return Result<>{};
}

io::Task<StreamReply> Caller::stream(Call call, Deadline deadline) {
  const std::size_t endpoint = endpoints_.choose(loop_.now(), call.avoid);
  co_await io::sleep_until(loop_, std::min(deadline, endpoints_.ready_at(endpoint)), stop_);
  if (!user_.empty() && token_.empty()) {
    Result<> logged_in = co_await log_in(endpoint, deadline);
    if (!logged_in) co_return StreamReply{std::unexpected<Error>(std::move(logged_in.error())), endpoint};
  }
  client::Request asking = request(call);
  client::Started started = co_await origins_[endpoint]->start(std::move(asking), deadline);
  if (!started.incoming) {
    if (!stop_.requested()) blame(endpoint);
    co_return StreamReply{std::unexpected<Error>(of_the_store(started.incoming.error())), endpoint};
  }
  if ((*started.incoming)->status() == 200) co_return StreamReply{std::move(started.incoming), endpoint};
  const Result<std::string> body = co_await (*started.incoming)->next(deadline);
  Refusal refusal = read_error((*started.incoming)->status(), body ? *body : "");
  if (refusal.token_refused) token_.clear();
  blame(endpoint);
  co_return StreamReply{std::unexpected<Error>(std::move(refusal.error)), endpoint};
}

void Caller::blame(std::size_t endpoint) { endpoints_.failed(endpoint, loop_.now(), prng_); }

void Caller::close() {
  stop_.request();
  for (const std::unique_ptr<client::Origin>& origin : origins_) origin->close();
}

io::Task<> Caller::idle() {
  while (calls_ != 0) co_await idle_.wait(kNever);
}

}  // namespace holdfast::store::etcd

// Exchange, second part: the request goes to an endpoint, and to another one when that is safe. Here is the order of
// things and who is asked; attempt.cc has how, failure.cc what it means when it goes wrong.
#include "base/hash.h"
#include "http/lookup.h"
#include "http/write_request.h"
#include "io/loop.h"
#include "proxy/exchange.h"

namespace holdfast::proxy {

io::Task<> Exchange::forward() {
  failed_ = Failure::none;
  const char* const refused = admit();
  if (refused != nullptr) {
    co_await give_up(503, refused);
    co_return;
  }
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
      const bool in_vain = co_await wait_for_place();
      if (in_vain) co_return;
    }
    if (client_gone()) break;
    if (!claimed_) {
      co_await answer_failure(failure);
      co_return;
    }
    begin_call();
    Ended ended = start_attempt();
    if (!ended) ended = co_await continue_attempt();
    if (ended == Failure::none) {
      const int error = co_await connection_->stream->readable(look_for_answer());
      ended = read_answer_head(error);
      if (!ended) ended = co_await wait_for_answer_head();
    }
    failure = *ended;
    failed_ = failure;
    if (failure == Failure::silence) continue;  // another endpoint is claimed already
    if (failure == Failure::none) {
      const bool server_error = heads_->response.status >= 500 && heads_->response.status != 501;
      report(server_error ? Failure::status : Failure::none);
      end_call(server_error ? breaker::Outcome::failure : breaker::Outcome::success);
      if (server_error && take_instead()) {
        if (upload_ != nullptr) co_await end_upload();
        co_await give_up(heads_->response.status, "upstream-error");
        co_return;
      }
      if (!answer_at_once()) co_await relay_rest_of_answer();
      co_return;
    }
    if (upload_ != nullptr) co_await end_upload();
    // The body was held up, and not by the client.
    if (failure == Failure::client && upload_end() == RelayEnd::receiver_gone) {
      failed_ = failure = Failure::timeout;
    }
    report(failure);
    if (!may_try_again(failure)) break;
    if (failure == Failure::status) {
      if (!change_endpoint()) break;
    } else {
      give_up_endpoint();
    }
    service_->retries.add();
  }
  end_call(outcome_of(failure));
  if (client_gone()) {
    keep_alive_ = false;
    reason_ = why_cut_short(RelayEnd::receiver_gone);
  } else if (failure == Failure::status && !take_instead()) {
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

// Waits in the service's queue while every endpoint is at its limit. True: the queue was full, or the wait in vain, and
// the client has its answer.
io::Task<bool> Exchange::wait_for_place() {
  if (!all_busy_) co_return false;
  upstream::Queue::Waiter waiter(worker_.loop(), service_->service());
  if (!waiter.enter()) {
    service_->queue_full.add();
    co_await give_up(503, "queue-full");
    co_return true;
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
  if (claimed_ || !all_busy_ || client_gone()) co_return false;
  service_->queue_timeouts.add();
  co_await give_up(503, "queue-timeout");
  co_return true;
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

}  // namespace holdfast::proxy

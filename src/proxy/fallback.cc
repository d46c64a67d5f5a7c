// Exchange, when the service has no answer: what the client gets instead of an error, if the service has a fallback. In
// this order, as far as they are given: the last good answer to the same request, another service's, one from the file.
// All are marked X-Holdfast-Degraded, so that nobody takes them for the real thing.
//
// Answers that were made up go only to requests that ask (GET, HEAD): whoever wanted something done must hear that it
// was not.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "io/loop.h"
#include "proxy/exchange.h"

namespace holdfast::proxy {
namespace {

bool is_read(http::Method method) { return method == http::Method::get || method == http::Method::head; }

/// Fields of a request that no answer depends on; of all others, known or not, an answer may be another for each value.
constexpr http::NameSet kSelectNothing = [] {
  using http::Name;
  http::NameSet names = {Name::host,       Name::user_agent,    Name::referer, Name::traceparent,
                         Name::tracestate, Name::via,           Name::date,    Name::max_forwards,
                         Name::expect,     Name::cache_control, Name::pragma};
  names.add(http::kHopByHop);
  names.add(http::kForwarding);
  return names;
}();

bool is_same_letter(char a, char b) { return to_lower(a) == to_lower(b); }

bool mentions(std::string_view value, std::string_view word) {
  return !std::ranges::search(value, word, is_same_letter).empty();
}

/// It depends on something that is not in the key.
bool varies_beyond_key(std::string_view vary) {
  while (!vary.empty()) {
    const std::size_t comma = std::min(vary.find(','), vary.size());
    std::string_view name = vary.substr(0, comma);
    vary.remove_prefix(std::min(comma + 1, vary.size()));
    while (name.starts_with(' ') || name.starts_with('\t')) name.remove_prefix(1);
    while (name.ends_with(' ') || name.ends_with('\t')) name.remove_suffix(1);
    if (name == "*" || kSelectNothing.has(http::name_of(name))) return true;
  }
  return false;
}

/// Of an answer that is kept: what belongs to its content, and to nobody in particular.
bool is_kept(const http::Field& field) {
  constexpr http::NameSet kNotKept = {
      http::Name::content_length, http::Name::content_type, http::Name::date,        http::Name::age,
      http::Name::server,         http::Name::via,          http::Name::x_request_id};
  return field.end_to_end && !http::kHopByHop.has(field.id) && !kNotKept.has(field.id);
}

/// What was said before holds no more: who asks may not know it any longer, or it is gone.
bool takes_back(std::uint16_t status) { return status == 401 || status == 403 || status == 404 || status == 410; }

bool may_be_kept(const http::ResponseHead& answer) {
  if (answer.fields.has(http::Name::set_cookie)) return false;
  if (answer.find(kDegraded) != nullptr) return false;  // somebody behind the service had no answer: it is not good
  return std::ranges::none_of(answer.fields, [](const http::Field& field) {
    if (field.id == http::Name::vary) return varies_beyond_key(field.value);
    if (field.id != http::Name::cache_control) return false;
    return mentions(field.value, "no-store") || mentions(field.value, "private");
  });
}

}  // namespace

Exchange::Instead Exchange::choose_instead() const {
  using enum Instead::Kind;
  const std::optional<config::Fallback>& fallback = service_->config().fallback;
  if (!fallback || service_->fallbacks_in_flight >= fallback->concurrency) return {};
  const bool read = is_read(heads_->request.method);
  if (read) {
    if (std::shared_ptr<const upstream::StaleAnswer> found = find_older()) return {older, std::move(found)};
  }
  if (may_stand_in()) return {.kind = stand_in};
  if (read && fallback->status != 0) return {.kind = from_file};
  return {};
}

Exchange::Instead Exchange::take_instead() {
  Instead instead = choose_instead();
  const std::optional<config::Fallback>& fallback = service_->config().fallback;
  if (fallback && service_->fallbacks_in_flight >= fallback->concurrency) service_->fallbacks_refused.add();
  return instead;
}

// Another service may be asked: there is one, and what was sent before does no harm twice.
bool Exchange::may_stand_in() const {
  if (snapshot_->shared->stand_ins[service_index_] == Snapshot::kNoService || streamed_) return false;
  return tries_ == 0 || !sent_ || http::is_idempotent(heads_->request.method);
}

io::Task<> Exchange::give_up(std::uint16_t status, const char* reason) {
  // Unless it has been told more. Our own refusal says nothing about others; an attempt before it does.
  end_call(outcome_of(failed_));
  drop_answer();
  Instead instead;
  if (!client_gone()) instead = take_instead();
  if (!instead) {
    co_await answer_error(status, reason);
    co_return;
  }
  upstream::LocalService& service = *service_;
  ++service.fallbacks_in_flight;
  switch (instead.kind) {
    case Instead::Kind::nothing: break;
    case Instead::Kind::older:
      service.fallbacks_stale.add();
      co_await answer_older(std::move(instead.older), reason);
      break;
    case Instead::Kind::stand_in:
      service.fallbacks_by_service.add();
      status_ = status;
      co_await ask_stand_in(snapshot_->shared->stand_ins[service_index_]);
      break;
    case Instead::Kind::from_file:
      service.fallbacks_from_file.add();
      co_await answer_from_file(reason);
      break;
  }
  --service.fallbacks_in_flight;
}

// An answer of the endpoint that nobody will see.
void Exchange::drop_answer() {
  give_up_endpoint();
  out_ = io::Buffer{};
  outbox_.reset();
  set_sticky_ = false;
}

// ---- another service

io::Task<> Exchange::ask_stand_in(std::uint32_t stand_in) {
  account_service();
  if (stood_in_for_ == nullptr) stood_in_for_ = &service_->service();
  service_index_ = stand_in;
  service_ = snapshot_->services[stand_in].get();
  // It has its own time: that of the first may be used up. Not the caller's.
  deadline_ = std::min(callers_deadline_, worker_.loop().now() + service_->config().timeouts.request);
  tries_ = 0;
  reason_ = {};
  co_await forward();
}

// ---- an older answer

// Whoever may see another answer has another key.
std::string Exchange::answer_key() const {
  const http::RequestHead& request = heads_->request;
  std::string key(request.host);
  const auto add = [&key](std::string_view part) { key.append(1, '\n').append(part); };
  add(request.path);
  add(request.query);
  const bool trusted = session_.trusted_peer();
  for (const http::Field& field : request.fields) {
    const bool names_site = field.id == http::Name::x_forwarded_host || field.id == http::Name::x_forwarded_proto;
    if (kSelectNothing.has(field.id) && !(trusted && names_site)) continue;
    add(field.name);
    add(field.value);
  }
  return key;
}

// Only what came as a whole with its head: an answer of more than a buffer is not kept.
void Exchange::keep_answer() {
  const std::optional<config::Fallback>& fallback = service_->config().fallback;
  if (!fallback || fallback->stale == Duration::zero() || stood_in_for_ != nullptr) return;
  const http::ResponseHead& answer = heads_->response;
  if (heads_->request.method != http::Method::get) return;
  if (heads_->request.framing != http::Framing::none) return;  // the answer may depend on the body
  upstream::StaleAnswers& kept = service_->service().stale_answers();
  if (takes_back(answer.status)) return kept.erase(answer_key());
  if (answer.status != 200 || !answer_body_.done() || !may_be_kept(answer)) return;
  const Instant now = worker_.loop().now();
  const std::string key = answer_key();
  if (!kept.wants(key, now)) return;
  auto copy = std::make_shared<upstream::StaleAnswer>();
  copy->status = answer.status;
  copy->kept = now;
  for (const http::Field& field : answer.fields) {
    if (field.id == http::Name::content_type) copy->content_type = field.value;
    if (is_kept(field)) copy->fields.emplace_back(field.name, field.value);
  }
  copy->body.assign(answer_piece_.data.begin(), answer_piece_.data.end());
  kept.keep(key, std::move(copy));
}

std::shared_ptr<const upstream::StaleAnswer> Exchange::find_older() const {
  const Duration stale = service_->config().fallback->stale;
  if (stale == Duration::zero() || heads_->request.framing != http::Framing::none) return nullptr;
  return service_->service().stale_answers().find(answer_key(), worker_.loop().now() - stale);
}

// RFC 9111 5.1: Age says how old it is.
io::Task<> Exchange::answer_older(std::shared_ptr<const upstream::StaleAnswer> stale, const char* reason) {
  const std::string age = std::to_string((worker_.loop().now() - stale->kept) / 1s);
  std::vector<http::Field> fields;
  for (const auto& [name, value] : stale->fields) fields.push_back({.name = name, .value = value});
  fields.push_back({.name = "Age", .value = age});
  fields.push_back({.name = kDegraded, .value = service_->service().name()});
  http::LocalResponse response;
  response.status = stale->status;
  response.reason = reason;
  if (!stale->content_type.empty()) response.content_type = stale->content_type;
  response.body = stale->body;
  response.extra = fields;
  co_await answer_locally(response);
}

// ---- an answer from the file

io::Task<> Exchange::answer_from_file(const char* reason) {
  const config::Fallback& fallback = *service_->config().fallback;
  http::LocalResponse response;
  response.status = fallback.status;
  response.reason = reason;
  response.body = service_->service().fallback_body();
  std::vector<http::Field> fields;
  for (const config::HeaderLine& header : fallback.headers) {
    if (http::name_of(header.name) == http::Name::content_type) {
      response.content_type = header.value;
    } else {
      fields.push_back({.name = header.name, .value = header.value});
    }
  }
  fields.push_back({.name = kDegraded, .value = service_->service().name()});
  response.extra = fields;
  co_await answer_locally(response);
}

}  // namespace holdfast::proxy

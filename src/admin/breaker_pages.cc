#include "admin/breaker_pages.h"

#include <algorithm>

#include "admin/breaker_json.h"
#include "admin/query.h"
#include "admin/wish.h"
#include "config/nearest.h"

namespace holdfast::admin {
namespace {

/// So long we wait for a forced state to show: the keeper looks many times by then.
constexpr Duration kShowTimeout = 1s;
constexpr std::size_t kShownNameBytes = 200;

// Weak: counts change without another version.
std::string etag_of(const guard::Keeper& keeper, const std::string& world) {
  return "W/\"" + world + '-' + std::to_string(keeper.version()) + '"';
}

Answer no_such_breaker(const guard::Keeper& keeper, const std::string& name) {
  const std::vector<guard::View> all = keeper.view();
  std::vector<std::string_view> names;
  for (const guard::View& each : all) names.push_back(each.name);
  const std::optional<std::string_view> near = config::nearest(name, names);
  const std::string remedy = near ? "did you mean " + std::string(*near) + "?" : "GET /v1/breakers lists all";
  return error_answer(404, "not_found", "there is no breaker " + name.substr(0, kShownNameBytes), remedy);
}

Answer told(const guard::View& view) { return {.status = 200, .content_type = kJson, .body = breaker_json(view)}; }

Answer not_done(const guard::Keeper& keeper, const std::string& name, const Error& error) {
  switch (error.code) {
    case Code::missing:
      if (!keeper.view(name)) return no_such_breaker(keeper, name);
      return error_answer(409, "not_forced", error.what, "nothing needs to be done");
    case Code::invalid: return error_answer(400, "bad_request", error.what, "say it otherwise");
    case Code::stale:
    case Code::exists: return error_answer(409, "conflict", error.what, "look how it is now, and say it again");
    case Code::timed_out:
      return error_answer(504, "timed_out", error.what, "it is not known whether it was done: look how it is now");
    default: break;
  }
  return error_answer(503, "unavailable", error.what, "the store must be reached; then say it again");
}

bool shows(const guard::View& view, const Wish& wish) {
  if (!wish.state) return !view.override;
  return view.override && view.override->state == *wish.state && view.state == *wish.state;
}

io::Task<Result<>> carry_out(Ref<guard::Keeper> keeper, std::string name, Wish wish, Deadline deadline) {
  if (wish.state) {
    Result<> forced = co_await keeper->force(std::move(name), *wish.state, std::move(wish.actor),
                                             std::move(wish.reason), wish.lasting, deadline);
    co_return forced;
  }
  Result<> released =
      co_await keeper->release(std::move(name), std::move(wish.actor), std::move(wish.reason), deadline);
  co_return released;
}

}  // namespace

io::Task<Answer> list_breakers(Ref<Visit> visit, Ref<guard::Keeper> keeper, std::string world) {
  const auto caller = text_of(visit->head, "caller");
  if (!caller) co_return caller.error();
  const auto patience = duration_of(visit->head, "wait");
  if (!patience) co_return patience.error();
  const Instant until = visit->now() + std::min(patience->value_or(0s), kWaitMax);
  while (is_known(visit->head, etag_of(*keeper, world)) && visit->now() < until && visit->take_place()) {
    co_await visit->wait(keeper->followers(), until);
  }
  std::string etag = etag_of(*keeper, world);
  if (is_known(visit->head, etag)) co_return not_modified(std::move(etag));
  std::string page = breakers_json(of_caller(keeper->view(), caller->value_or("")));
  Answer answer{.status = 200, .content_type = kJson, .body = std::move(page), .etag = std::move(etag)};
  co_return answer;
}

Answer show_breaker(const guard::Keeper& keeper, const std::string& name) {
  const std::optional<guard::View> view = keeper.view(name);
  return view ? told(*view) : no_such_breaker(keeper, name);
}

io::Task<Answer> put_breaker(Ref<Visit> visit, Ref<guard::Keeper> keeper, std::string name) {
  const std::optional<Answer> refused = refuse_foreign(visit->head);
  if (refused) co_return *refused;
  const auto wish = parse_wish(visit->body);
  if (!wish) co_return wish.error();
  std::string whose = name;
  Wish wanted = *wish;
  const Deadline deadline = visit->now() + kForceTimeout;
  const Result<> done = co_await carry_out(keeper, std::move(whose), std::move(wanted), deadline);
  if (!done) co_return not_done(*keeper, name, done.error());
  const Instant until = visit->now() + kShowTimeout;
  std::optional<guard::View> view = keeper->view(name);
  while (view && !shows(*view, *wish) && visit->now() < until && !visit->is_over()) {
    co_await visit->wait(keeper->followers(), until);
    view = keeper->view(name);
  }
  if (!view) co_return no_such_breaker(*keeper, name);
  co_return told(*view);
}

}  // namespace holdfast::admin

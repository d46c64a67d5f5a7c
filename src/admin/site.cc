#include "admin/site.h"

#include <unistd.h>

#include "admin/breaker_pages.h"
#include "admin/collect.h"
#include "admin/event_pages.h"
#include "admin/metrics.h"
#include "admin/views.h"
#include "http/lookup.h"
#include "proxy/proxy.h"

namespace holdfast::admin {

Site::Site(proxy::Proxy& proxy, std::function<Standing()> standing)
    : proxy_(proxy),
      standing_(std::move(standing)),
      world_(std::to_string(io::read_wall_clock_us()) + '-' + std::to_string(::getpid())) {}

io::Task<Answer> Site::answer(Ref<Visit> visit) {
  std::variant<Routed, Answer> routed = route(visit->head.method, visit->head.path);
  if (Answer* const refused = std::get_if<Answer>(&routed)) co_return std::move(*refused);
  Routed& asked = std::get<Routed>(routed);
  if (asked.page >= Page::breakers) {
    Answer answer = co_await answer_of_breakers(visit, std::move(asked));
    co_return answer;
  }
  // Health is asked for often, and must not depend on a worker that is busy.
  Status status = asked.page == Page::healthz ? Status{} : collect(proxy_);
  status.standing = standing_();
  co_return render(asked.page, status);
}

io::Task<Answer> Site::answer_of_breakers(Ref<Visit> visit, Routed routed) {
  guard::Keeper* const keeper = proxy_.breakers();
  if (keeper == nullptr) co_return error_answer(503, "starting", "the proxy has only begun to start", "ask again");
  Answer answer;
  if (routed.page == Page::breakers) {
    std::string world = world_;
    answer = co_await list_breakers(visit, *keeper, std::move(world));
  } else if (routed.page == Page::breaker && visit->head.method == http::Method::put) {
    answer = co_await put_breaker(visit, *keeper, std::move(routed.name));
  } else if (routed.page == Page::breaker) {
    answer = show_breaker(*keeper, routed.name);
  } else if (http::find_query(visit->head, "follow")) {
    journal::Journal& journal = keeper->journal();
    answer = co_await follow_events(visit, journal);
  } else {
    answer = list_events(visit->head, keeper->journal());
  }
  co_return answer;
}

Answer render(Page page, const Status& status) {
  switch (page) {
    case Page::metrics: return {.status = 200, .content_type = kMetricsText, .body = metrics_text(status)};
    case Page::listeners: return {.status = 200, .content_type = kJson, .body = listeners_json(status)};
    case Page::services: return {.status = 200, .content_type = kJson, .body = services_json(status)};
    default: break;
  }
  if (status.standing.draining) return {.status = 503, .content_type = kText, .body = "draining\n"};
  return {.status = 200, .content_type = kText, .body = "ok\n"};
}

}  // namespace holdfast::admin

#include "admin/site.h"

#include "admin/collect.h"
#include "admin/metrics.h"
#include "admin/views.h"

namespace holdfast::admin {

Answer answer(const http::RequestHead& request, proxy::Proxy& proxy, Standing standing) {
  std::variant<Page, Answer> routed = route(request.method, request.path);
  if (Answer* const refused = std::get_if<Answer>(&routed)) return std::move(*refused);
  const Page page = std::get<Page>(routed);
  // Health is asked for often, and must not depend on a worker that is busy.
  Status status = page == Page::healthz ? Status{} : collect(proxy);
  status.standing = standing;
  return render(page, status);
}

Answer render(Page page, const Status& status) {
  switch (page) {
    case Page::healthz:
      if (status.standing.draining) return {.status = 503, .content_type = kText, .body = "draining\n"};
      return {.status = 200, .content_type = kText, .body = "ok\n"};
    case Page::metrics: return {.status = 200, .content_type = kMetricsText, .body = metrics_text(status)};
    case Page::listeners: return {.status = 200, .content_type = kJson, .body = listeners_json(status)};
    case Page::services: return {.status = 200, .content_type = kJson, .body = services_json(status)};
    case Page::breakers: break;
  }
  return {.status = 200, .content_type = kJson, .body = breakers_json(status)};
}

}  // namespace holdfast::admin

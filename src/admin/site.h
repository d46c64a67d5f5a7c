// The admin API: a visit in, an answer out. Start reading at answer().
#pragma once

#include <functional>
#include <string>

#include "admin/answer.h"
#include "admin/router.h"
#include "admin/status.h"
#include "admin/visit.h"

namespace holdfast::proxy {
class Proxy;
}

namespace holdfast::admin {

class Site : Pinned {
 public:
  /// `standing` is asked each time.
  Site(proxy::Proxy& proxy, std::function<Standing()> standing);

  /// Takes stock of the proxy if the page needs it.
  /// Core: the control loop.
  io::Task<Answer> answer(Ref<Visit> visit);

 private:
  io::Task<Answer> answer_of_breakers(Ref<Visit> visit, Routed routed);

  proxy::Proxy& proxy_;
  const std::function<Standing()> standing_;
  const std::string world_;  ///< no other process has the same
};

/// A page that only shows.
Answer render(Page page, const Status& status);

}  // namespace holdfast::admin

// The admin API as a function: a request's head in, an answer out.
#pragma once

#include "admin/answer.h"
#include "admin/router.h"
#include "admin/status.h"
#include "http/head.h"

namespace holdfast::proxy {
class Proxy;
}

namespace holdfast::admin {

/// Takes stock of `proxy` if the page needs it.
/// Core: the control loop.
Answer answer(const http::RequestHead& request, proxy::Proxy& proxy, Standing standing);

/// The page itself.
Answer render(Page page, const Status& status);

}  // namespace holdfast::admin

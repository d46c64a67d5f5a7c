// Which page a request asks for. Start reading at kPages: it is the whole API.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "admin/answer.h"
#include "http/method.h"

namespace holdfast::admin {

enum class Page : std::uint8_t { healthz, metrics, listeners, services, breakers, breaker, events };

struct Route {
  std::string_view path;
  Page page;
  std::string_view allow = "GET, HEAD";
};
inline constexpr std::array kPages{
    Route{"/healthz", Page::healthz},                             // may load balancers send us traffic?
    Route{"/metrics", Page::metrics},                             // for Prometheus
    Route{"/v1/listeners", Page::listeners},                      // where we listen
    Route{"/v1/services", Page::services},                        // who serves, and how well
    Route{"/v1/breakers", Page::breakers},                        // which calls are refused to protect whom
    Route{"/v1/breakers/NAME", Page::breaker, "GET, HEAD, PUT"},  // one of them; PUT forces it
    Route{"/v1/events", Page::events},                            // what happened; ?follow: as it happens
};

struct Routed {
  Page page;
  std::string name;  ///< what stands in the place of NAME, decoded
};

/// The page, or why there is none: 404, or 405 for methods it does not know. A query is not looked at.
std::variant<Routed, Answer> route(http::Method method, std::string_view path);

}  // namespace holdfast::admin

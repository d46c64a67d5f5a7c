// Router: which route answers a request. Built once per configuration, read by every loop; the first route that matches
// in the order of the file wins.
//
// An exact host finds its candidates by one hash lookup: its own routes merged with those of wildcards and of no host,
// in file order. So a thousand virtual hosts cost no more than one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/model.h"

namespace holdfast::proxy {

/// Where a request goes: a service (by its index in the model), a redirect, or nowhere.
struct Destination {
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  std::uint32_t service = kNone;
  const config::Redirect* redirect = nullptr;

  bool found() const { return service != kNone || redirect != nullptr; }
};

class Router {
 public:
  /// Requires: `listener` and `model` outlive the router; names were checked by config::load().
  Router(const config::Listener& listener, const config::Model& model);

  /// `host` without port, in any case; `path` begins with "/" (or is "*").
  Destination route(std::string_view host, std::string_view path) const;

  /// The one destination of a TCP listener.
  Destination only() const { return routes_.empty() ? Destination{} : routes_.front().destination; }

 private:
  struct Route {
    config::HostPattern host;
    std::string path;
    Destination destination;
  };
  struct HashHost {
    using is_transparent = void;
    std::size_t operator()(std::string_view host) const;
  };
  using Candidates = std::vector<std::uint32_t>;

  std::vector<Route> routes_;
  std::unordered_map<std::string, Candidates, HashHost, std::equal_to<>> by_host_;
  Candidates any_host_;
};

}  // namespace holdfast::proxy

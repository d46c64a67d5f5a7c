// Shapes of values that take several forms: a balance word or map, an endpoint with or without options, a route's
// answer.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/names.h"
#include "config/section.h"

namespace holdfast::config {

/// { sticky: cookie:NAME, balance: … } as it is written; in the model it is one Balance.
struct Sticky {
  std::string cookie;
  Balance balance;
};

/// A word, { hash: KEY, … } or, unless inside one, { sticky: cookie:NAME, balance: … }.
struct BalanceShape {
  bool sticky_allowed = true;

  void read(const Node& node, Reading& reading, Balance& value) const;
  Node write(const Balance& value) const;
  std::string type() const;
  std::string schema() const;
  void document(auto& reference, std::string_view place) const {
    if (!sticky_allowed) return;
    reference.template section<Hash>(std::string(place) + " (hash)");
    reference.template section<Sticky>(std::string(place) + " (sticky)");
  }
};

/// An address, or a section with one.
struct EndpointShape {
  void read(const Node& node, Reading& reading, Endpoint& value) const;
  Node write(const Endpoint& value) const;
  std::string type() const;
  std::string schema() const;
  void document(auto& reference, std::string_view place) const { reference.template section<Endpoint>(place); }
};

/// The word by_service_name, or a list of routes: two members of a listener.
struct RoutesShape {
  void read(const Node& node, Reading& reading, Listener& value) const;
  Node write(const Listener& value) const;
  std::string type() const;
  std::string schema() const;
  void document(auto& reference, std::string_view place) const {
    reference.template section<Route>(std::string(place) + "[]");
  }
};

/// The two keys of a route's answer.
struct RouteService : Leaf {
  void read(const Node& node, Reading& reading, Route& value) const;
  Node write(const Route& value) const;
  std::string type() const { return "name of a service"; }
  std::string schema() const { return schema_of_text(kNamePattern); }
};
struct RouteRedirect {
  void read(const Node& node, Reading& reading, Route& value) const;
  Node write(const Route& value) const;
  std::string type() const { return "section"; }
  std::string schema() const;
  void document(auto& reference, std::string_view place) const { reference.template section<Redirect>(place); }
};

/// The two keys of what a health check does.
struct HttpCheck : Leaf {
  void read(const Node& node, Reading& reading, HealthCheck& value) const;
  Node write(const HealthCheck& value) const;
  std::string type() const { return "path"; }
  std::string schema() const { return schema_of_text("^/"); }
};
struct TcpCheck : Leaf {
  void read(const Node& node, Reading& reading, HealthCheck& value) const;
  Node write(const HealthCheck& value) const;
  std::string type() const { return "`true`"; }
  std::string schema() const { return R"({"const":true})"; }
};

/// [connect_failure, reset, silence, timeout, 503]
struct RetryOnShape : Leaf {
  void read(const Node& node, Reading& reading, RetryOn& value) const;
  Node write(const RetryOn& value) const;
  std::string type() const {
    return "list of `connect_failure`, `reset`, `silence`, `timeout` and statuses 400 to 599";
  }
  std::string schema() const;
};

/// A map from names to values.
struct HeadersShape : Leaf {
  static constexpr std::size_t kMost = kAnswerHeadersMax;

  void read(const Node& node, Reading& reading, std::vector<HeaderLine>& values) const;
  Node write(const std::vector<HeaderLine>& values) const;
  std::string type() const { return "map from header names to values"; }
  std::string schema() const { return R"({"type":"object","additionalProperties":{"type":"string"}})"; }
};

/// A status that is 0 unless written.
struct AnswerStatus : Leaf {
  void read(const Node& node, Reading& reading, std::uint16_t& value) const;
  Node write(const std::uint16_t& value) const { return value == 0 ? Node() : Node::scalar(format_status(value)); }
  std::string type() const { return "status, 200 to 599"; }
  std::string schema() const { return schema_of_number(200, 599); }
};

/// A section; an answer of which nothing is said about the status has 200.
struct FallbackShape {
  void read(const Node& node, Reading& reading, std::optional<Fallback>& value) const;
  Node write(const std::optional<Fallback>& value) const;
  std::string type() const { return "section"; }
  std::string schema() const;
  void document(auto& reference, std::string_view place) const { reference.template section<Fallback>(place); }
};

/// An address of a store, or a section for an etcd that asks who we are.
struct StoreShape {
  void read(const Node& node, Reading& reading, StoreAddress& value) const;
  Node write(const StoreAddress& value) const;
  std::string type() const;
  std::string schema() const;
  void document(auto& reference, std::string_view place) const { reference.template section<StoreAddress>(place); }
};

/// A list of endpoints, or the word `store`.
struct EndpointsShape {
  void read(const Node& node, Reading& reading, Service& value) const;
  Node write(const Service& value) const;
  std::string type() const;
  std::string schema() const;
  void document(auto& reference, std::string_view place) const {
    EndpointShape{}.document(reference, std::string(place) + "[]");
  }
};

}  // namespace holdfast::config

#include "config/values.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "config/tables.h"

namespace holdfast::config {
namespace {

constexpr Scalar<std::string> kServiceName{"name of a service", kNamePattern, parse_name, format_text};
constexpr Scalar<std::string> kHeaderValue{"text", "", parse_header_value, format_text};
constexpr Scalar<std::uint16_t> kAnswerStatus{"status, 200 to 599", "", parse_answer_status, format_status};
constexpr Scalar<std::string> kCheckPath{"a path such as /healthz", "^/", parse_path, format_text};

struct Cause {
  std::string_view word;
  bool RetryOn::* member;
};
constexpr std::array<Cause, 4> kCauses{{{"connect_failure", &RetryOn::connect_failure},
                                        {"reset", &RetryOn::reset},
                                        {"silence", &RetryOn::silence},
                                        {"timeout", &RetryOn::timeout}}};
constexpr std::size_t kMaxCauses = 32;

/// Adds one reason to the others.
void read_cause(const Node& node, Reading& reading, RetryOn& value) {
  if (!reading.is_scalar(node, "connect_failure, reset, silence, timeout or a status")) return;
  const auto cause = std::ranges::find(kCauses, node.text, &Cause::word);
  if (cause != kCauses.end()) {
    value.*(cause->member) = true;
    return;
  }
  const auto status = parse_number<std::uint16_t>(node.text);
  if (status && *status >= 400 && *status <= 599) {
    if (std::ranges::find(value.statuses, *status) == value.statuses.end()) value.statuses.push_back(*status);
    return;
  }
  reading.wrong(
      node.mark,
      '"' + node.text +
          "\" is no reason to retry; expected connect_failure, reset, silence, timeout or a status from 400 to 599");
}

}  // namespace

// ---- store --------------------------------------------------------------------------------------

void StoreShape::read(const Node& node, Reading& reading, StoreAddress& value) const {
  if (!node.is_map()) return kStoreAddress.read(node, reading, value);
  value = StoreAddress{.engine = StoreAddress::Engine::etcd};
  Section<StoreAddress>{}.read(node, reading, value);
}

Node StoreShape::write(const StoreAddress& value) const {
  const bool plain = !value.tls && value.user.empty();
  return plain ? kStoreAddress.write(value) : Section<StoreAddress>{}.write(value);
}
std::string StoreShape::type() const { return kStoreAddress.type() + " or section"; }
std::string StoreShape::schema() const {
  return R"({"anyOf":[)" + kStoreAddress.schema() + ',' + Section<StoreAddress>{}.schema() + "]}";
}

// ---- balance ------------------------------------------------------------------------------------

void BalanceShape::read(const Node& node, Reading& reading, Balance& value) const {
  if (node.is_map() && node.find("sticky") != nullptr) {
    if (!sticky_allowed) return reading.wrong(node.mark, "is sticky already; expected a word or { hash: KEY }");
    Sticky sticky;
    Section<Sticky>{}.read(node, reading, sticky);
    value = std::move(sticky.balance);
    value.sticky_cookie = std::move(sticky.cookie);
  } else if (node.is_map()) {
    value.algorithm = Algorithm::hash;
    Section<Hash>{}.read(node, reading, value.hash);
  } else if (node.is_scalar() && node.text == "hash") {
    reading.wrong(node.mark,
                  "hash needs a key; write { hash: client_ip } (or path, header:NAME, cookie:NAME, query:NAME)");
  } else if (node.is_list()) {
    reading.wrong(node.mark, "expected " + plain(type()) + ", found a list");
  } else {
    OneOf<Algorithm>{}.read(node, reading, value.algorithm);
  }
}

Node BalanceShape::write(const Balance& value) const {
  if (!value.sticky_cookie.empty()) {
    Sticky sticky{value.sticky_cookie, value};
    sticky.balance.sticky_cookie.clear();
    return Section<Sticky>{}.write(sticky);
  }
  if (value.algorithm == Algorithm::hash) return Section<Hash>{}.write(value.hash);
  return OneOf<Algorithm>{}.write(value.algorithm);
}

std::string BalanceShape::type() const {
  return OneOf<Algorithm>{}.type() + ", `{ hash: KEY }`" + (sticky_allowed ? ", `{ sticky: cookie:NAME }`" : "");
}

std::string BalanceShape::schema() const {
  const std::string hash = Section<Hash>{}.schema();
  const std::string sticky = sticky_allowed ? ',' + Section<Sticky>{}.schema() : "";
  return R"({"anyOf":[)" + OneOf<Algorithm>{}.schema() + ',' + hash + sticky + "]}";
}

// ---- endpoints ----------------------------------------------------------------------------------

void EndpointShape::read(const Node& node, Reading& reading, Endpoint& value) const {
  if (node.is_scalar()) {
    kEndpointAddress.read(node, reading, value.address);
  } else if (node.is_list()) {
    reading.wrong(node.mark, "expected an address or { address: 10.0.0.1:80, weight: 2 }, found a list");
  } else {
    Section<Endpoint>{}.read(node, reading, value);
  }
}

Node EndpointShape::write(const Endpoint& value) const { return Section<Endpoint>{}.write(value); }
std::string EndpointShape::type() const { return "address or section"; }
std::string EndpointShape::schema() const {
  return R"({"anyOf":[)" + kEndpointAddress.schema() + ',' + Section<Endpoint>{}.schema() + "]}";
}

constexpr ListOf<EndpointShape> kEndpoints{{}, 1, 10'000};

void EndpointsShape::read(const Node& node, Reading& reading, Service& value) const {
  if (node.is_scalar() && node.text == "store") {
    value.endpoints_found = true;
  } else if (node.is_list()) {
    kEndpoints.read(node, reading, value.endpoints);
  } else {
    reading.wrong(node.mark, "expected a list such as [10.0.0.1:80], or the word store");
  }
}

Node EndpointsShape::write(const Service& value) const {
  return value.endpoints_found ? Node::scalar("store") : kEndpoints.write(value.endpoints);
}
std::string EndpointsShape::type() const { return kEndpoints.type() + ", or `store`"; }
std::string EndpointsShape::schema() const { return R"({"anyOf":[{"const":"store"},)" + kEndpoints.schema() + "]}"; }

// ---- routes -------------------------------------------------------------------------------------

constexpr ListOf<Section<Route>> kRoutes{{}, 1, 10'000};

void RoutesShape::read(const Node& node, Reading& reading, Listener& value) const {
  if (node.is_scalar() && node.text == "by_service_name") {
    value.by_service_name = true;
  } else if (node.is_list()) {
    kRoutes.read(node, reading, value.routes);
  } else if (node.kind != Node::Kind::nothing) {
    reading.wrong(node.mark, "expected a list such as [{ path: /, service: NAME }], or the word by_service_name");
  }
}

Node RoutesShape::write(const Listener& value) const {
  return value.by_service_name ? Node::scalar("by_service_name") : kRoutes.write(value.routes);
}
std::string RoutesShape::type() const { return "list of sections, or `by_service_name`"; }
std::string RoutesShape::schema() const {
  return R"({"anyOf":[{"const":"by_service_name"},)" + kRoutes.schema() + "]}";
}

void RouteService::read(const Node& node, Reading& reading, Route& value) const {
  kServiceName.read(node, reading, value.answer.emplace<std::string>());
}
Node RouteService::write(const Route& value) const {
  return value.service() != nullptr && !value.service()->empty() ? Node::scalar(*value.service()) : Node();
}

void RouteRedirect::read(const Node& node, Reading& reading, Route& value) const {
  Section<Redirect>{}.read(node, reading, value.answer.emplace<Redirect>());
}
Node RouteRedirect::write(const Route& value) const {
  return value.redirect() != nullptr ? Section<Redirect>{}.write(*value.redirect()) : Node();
}
std::string RouteRedirect::schema() const { return Section<Redirect>{}.schema(); }

// ---- health checks and retries ------------------------------------------------------------------

void HttpCheck::read(const Node& node, Reading& reading, HealthCheck& value) const {
  kCheckPath.read(node, reading, value.http);
}
Node HttpCheck::write(const HealthCheck& value) const { return value.http.empty() ? Node() : Node::scalar(value.http); }

void TcpCheck::read(const Node& node, Reading& reading, HealthCheck&) const {
  if (!reading.is_scalar(node, "true")) return;
  if (node.text != "true") reading.wrong(node.mark, "expected true; for no check at all write health_check: off");
}
Node TcpCheck::write(const HealthCheck& value) const { return value.http.empty() ? Node::scalar("true") : Node(); }

void RetryOnShape::read(const Node& node, Reading& reading, RetryOn& value) const {
  if (!reading.is_list(node, "a list such as [connect_failure, 503]")) return;
  if (node.children.size() > kMaxCauses) {
    return reading.wrong(
        node.mark, "holds " + std::to_string(node.children.size()) + " items; at most " + std::to_string(kMaxCauses));
  }
  value = RetryOn{false, false, false, {}};
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    const Reading::Step step(reading, i);
    read_cause(node.children[i], reading, value);
  }
  std::ranges::sort(value.statuses);
}

Node RetryOnShape::write(const RetryOn& value) const {
  Node node = Node::list();
  for (const Cause& cause : kCauses) {
    if (value.*(cause.member)) node.children.push_back(Node::scalar(std::string(cause.word)));
  }
  for (const std::uint16_t status : value.statuses) node.children.push_back(Node::scalar(std::to_string(status)));
  return node;
}

std::string RetryOnShape::schema() const {
  return R"({"type":"array","maxItems":)" + std::to_string(kMaxCauses) +
         R"(,"items":{"anyOf":[{"enum":["connect_failure","reset","silence","timeout"]},)" +
         schema_of_number(400, 599) + "]}}";
}

// ---- fallbacks ----------------------------------------------------------------------------------

void HeadersShape::read(const Node& node, Reading& reading, std::vector<HeaderLine>& values) const {
  if (!reading.is_map(node, "a map from header names to values")) return;
  const std::size_t size = node.children.size() / 2;
  if (size > kMost) {
    return reading.wrong(node.mark, "holds " + std::to_string(size) + " headers; at most " + std::to_string(kMost));
  }
  for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
    const Node& key = node.children[i];
    const Reading::Step step(reading, key.text);
    HeaderLine& line = values.emplace_back();
    if (auto name = parse_header_name(key.text)) {
      line.name = std::move(*name);
    } else {
      reading.wrong(key.mark, name.error());
    }
    kHeaderValue.read(node.children[i + 1], reading, line.value);
  }
}

Node HeadersShape::write(const std::vector<HeaderLine>& values) const {
  if (values.empty()) return {};
  Node node = Node::map();
  for (const HeaderLine& line : values) {
    node.children.push_back(Node::scalar(line.name));
    node.children.push_back(Node::scalar(line.value));
  }
  return node;
}

void AnswerStatus::read(const Node& node, Reading& reading, std::uint16_t& value) const {
  kAnswerStatus.read(node, reading, value);
}

void FallbackShape::read(const Node& node, Reading& reading, std::optional<Fallback>& value) const {
  Maybe<Fallback>{}.read(node, reading, value);
  if (value && value->status == 0 && !(value->body.empty() && value->file.empty())) value->status = 200;
}
Node FallbackShape::write(const std::optional<Fallback>& value) const { return Maybe<Fallback>{}.write(value); }
std::string FallbackShape::schema() const { return Section<Fallback>{}.schema(); }

}  // namespace holdfast::config

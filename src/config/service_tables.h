// The tables of a service and what lies below it; tables.h has the others and says what they are.
#pragma once

#include "config/model.h"
#include "config/section.h"
#include "config/values.h"
#include "config/word_shapes.h"

namespace holdfast::config {

// ---- services -----------------------------------------------------------------------------------

template <>
struct Table<Service> {
  static constexpr std::string_view about = "A set of endpoints that can answer the same requests.";
  static void fields(auto& f, auto& t) {
    f.field("protocol", t.protocol, OneOf<ServiceProtocol>{}, "what its endpoints speak");
    f.field(
        "balance", t.balance, BalanceShape{},
        "who gets the next request; `peak_ewma` looks at every endpoint up to 32, and at 8 drawn by weight among more");
    f.required("endpoints", t, EndpointsShape{},
               "`10.0.0.1:80`, `\"[::1]:80\"`, `name:80` or `unix:/path`; no address twice. `store`: those that "
               "`cluster.store` has under `endpoint/NAME/`, as they come and go");
    f.field("health_check", t.health_check, or_off(Section<HealthCheck>{}), "asks each endpoint whether it is well");
    f.field("outlier_ejection", t.outlier_ejection, or_off(Section<OutlierEjection>{}),
            "leaves out endpoints that fail requests");
    f.field("all_down", t.all_down, OneOf<AllDown>{},
            "when no endpoint is well: `try_all` of them, or `fail` at once with 503");
    f.field("slow_start", t.slow_start, within(0s, 1h),
            "the time in which a recovered endpoint's weight grows to its own; `0s`: at once");
    f.field("timeouts", t.timeouts, Section<Timeouts>{}, "how long each step may take");
    f.field("retries", t.retries, Section<Retries>{}, "trying another endpoint");
    f.field("limits", t.limits, Section<ServiceLimits>{}, "what the endpoints are spared");
    f.field("calls", t.calls, list_of(kName, 0, 100),
            "services that this one depends on: it draws the graph; cycles are allowed");
    f.field("breaker", t.breaker, or_off(Section<Breaker>{}),
            "stops asking a service that fails or hangs; `off`, as without it: nothing does");
    f.field("fallback", t.fallback, FallbackShape{}, "what is answered instead of an error");
    f.not_yet("run", "a service that holdfast starts itself");
  }
};

template <>
struct Table<Breaker> {
  static constexpr std::string_view about =
      "Stops asking a service of which most calls fail or take too long, and comes back to it by a few probes and a "
      "ramp. There is one for each service that has this one among its `calls`, and one for everybody else. `{}` takes "
      "the defaults.";
  static void fields(auto& f, auto& t) {
    f.field("mode", t.mode, OneOf<BreakerMode>{},
            "`enforce`; `observe`: refuses nothing and says what it would have done; `off`: opens only by hand");
    f.field("failure_rate", t.failure_rate, share(percent(1), percent(100)),
            "opens when this share of the calls failed: a 5xx other than 501, no connection, no answer (what is tried "
            "again with success has not failed)");
    f.field("slow_call", t.slow_call, within(1ms, 1h),
            "a call that takes longer, until the head of its answer, is slow, and counts as such while it still waits");
    f.field("slow_rate", t.slow_rate, share(percent(1), percent(100)), "opens when this share of the calls was slow");
    f.field("minimum_requests", t.minimum_requests, count(1, 100'000),
            "of fewer calls in a window no share is judged; see `consecutive_failures`");
    f.field(
        "consecutive_failures", t.consecutive_failures, count(0, 100'000),
        "opens after so many failures without a success, however few calls there are: the key for a service that is "
        "seldom called, or for a try; 0: never");
    f.field("window", t.window, within(1s, 10min),
            "how far back calls count; an outage is seen much sooner, when the newest calls leave no doubt");
    f.field("open_for", t.open_for, within(100ms, 1h),
            "how long nobody calls, then the next calls probe it; longer the longer it is down …");
    f.field("max_open_for", t.max_open_for, within(100ms, 24h), "… but never longer than this");
    f.field("probes", t.probes, count(1, 100), "good calls in a row after which traffic returns");
    f.field("ramp", t.ramp, within(0s, 1h), "over which it returns: 5%, 10%, 25%, 50%, 75%, all; `0s`: at once");
    f.field(
        "shared", t.shared, Flag{},
        "decided together by the proxies of `cluster`, one of which probes; `false`, and without `cluster`: each for "
        "itself");
  }
};

template <>
struct Table<Fallback> {
  static constexpr std::string_view about =
      "What is answered instead of an error of the service or of ours: when the breaker is open, the service fails "
      "(a 5xx other than 501), takes too long or is not there. In this order, as far as they are given: `stale`, "
      "`service`, `body` or `file`. "
      "Marked `X-Holdfast-Degraded`. Only a `service` answers other methods than GET and HEAD.";
  static void fields(auto& f, auto& t) {
    f.field("stale", t.stale, within(0s, 24h),
            "the last good answer (200) to the same request, up to this age; the same are host, path, query and all "
            "fields but those that say where it came from (`User-Agent`, `X-Forwarded-…`, trace ids). Kept are answers "
            "of up to about `buffer_bytes` that are not `private`; `0s`: none");
    f.field("stale_bytes", t.stale_bytes, bytes(kMiB, kTiB), "memory for those answers");
    f.field("service", t.service, TextOrNone{kName}, "another service gets the request, if that does no harm");
    f.field("status", t.status, AnswerStatus{}, "of an answer of our own; 200 if it has a body or file");
    f.field("headers", t.headers, HeadersShape{}, "of that answer");
    f.field("body", t.body, TextOrNone{kAnswerBody}, "of that answer, up to 16KiB");
    f.field("file", t.file, TextOrNone{kPath},
            "the body stands in this file, up to 64KiB; it is read with the configuration");
    f.field("concurrency", t.concurrency, count(1, 1'000'000),
            "requests that may wait for a fallback at once, on each thread; others get the error");
  }
};

template <>
struct Table<Hash> {
  static constexpr std::string_view about =
      "`balance: { hash: KEY }`: equal keys go to the same endpoint, as long as it is well.";
  static void fields(auto& f, auto& t) {
    f.required("hash", t.key, kHashKey, "what is hashed");
    f.field("algorithm", t.algorithm, OneOf<HashAlgorithm>{},
            "`maglev`: even and quick; `ring`: moves the fewest keys when endpoints change");
    f.field("bounded", t.bounded, or_off(share(percent(100), percent(1000))),
            "no endpoint gets more than this share of the mean load; the closer to 100%, the more requests leave their "
            "endpoint: under real traffic a seventh at 125%, nearly half at 110%");
  }
};

template <>
struct Table<Sticky> {
  static constexpr std::string_view about =
      "`balance: { sticky: cookie:NAME }`: a client stays where its cookie says, as long as that endpoint is well.";
  static void fields(auto& f, auto& t) {
    f.required("sticky", t.cookie, kSticky, "the cookie that the proxy sets");
    f.field("balance", t.balance, BalanceShape{false}, "who gets a client without a cookie");
  }
};

template <>
struct Table<Endpoint> {
  static constexpr std::string_view about = "An endpoint is an address, or this map where it needs more.";
  static void fields(auto& f, auto& t) {
    f.required("address", t.address, kEndpointAddress,
               "`10.0.0.1:80`, `\"[::1]:80\"`, `name:80` (every address of the name, asked for again when the answer "
               "ends) or `unix:/path`");
    f.field("weight", t.weight, count(1, 1'000), "its share of the requests, relative to the others");
    f.field("zone", t.zone, TextOrNone{kName},
            "where it stands; the zone of a proxy is said by `holdfast proxy --zone`");
    f.field("backup", t.backup, Flag{}, "used only while no other endpoint is well");
  }
};

template <>
struct Table<HealthCheck> {
  static constexpr std::string_view about =
      "Asks each endpoint, over and over, whether it is well. It has `http` or `tcp`.";
  static void fields(auto& f, auto& t) {
    f.choice("http", t, HttpCheck{}, "the path to GET, such as `/healthz`");
    f.choice("tcp", t, TcpCheck{}, "a connection is enough");
    f.field("host", t.host, TextOrNone{kHost}, "the `Host` sent; without it the endpoint, as `address` has it");
    f.field("interval", t.interval, within(10ms, 1h), "from one check to the next");
    f.field("timeout", t.timeout, within(1ms, 1h), "a check that takes longer has failed");
    f.field("healthy_threshold", t.healthy_threshold, count(1, 1'000),
            "good checks in a row until an endpoint counts as well");
    f.field("unhealthy_threshold", t.unhealthy_threshold, count(1, 1'000), "failed checks in a row until it does not");
    f.field("expect", t.expect, one_or_more(kStatusRange, 16), "statuses that count as good");
  }
};

template <>
struct Table<OutlierEjection> {
  static constexpr std::string_view about =
      "Leaves out endpoints that fail requests: no connection, reset, no answer in time, or a 5xx other than 501; of a "
      "breaker's probe with a fallback also no answer within `slow_call`.";
  static void fields(auto& f, auto& t) {
    f.field("consecutive_failures", t.consecutive_failures, count(1, 10'000),
            "failures in a row until an endpoint is left out");
    f.field("base_time", t.base_time, within(1ms, 1h), "for how long, times the number of ejections in a row");
    f.field("max_time", t.max_time, within(1ms, 24h), "… but never longer than this");
    f.field("max_ejected", t.max_ejected, share(percent(0), percent(100)),
            "no more than this share of the endpoints is left out at once");
  }
};

template <>
struct Table<Timeouts> {
  static constexpr std::string_view about = "How long each step towards an endpoint may take.";
  static void fields(auto& f, auto& t) {
    f.field("connect", t.connect, within(1ms, 10min), "until the connection is up");
    f.field("per_try", t.per_try, within(1ms, 24h), "from sending a request until the endpoint's first byte");
    f.field(
        "request", t.request, within(1ms, 24h),
        "the whole, from a request's first byte to its answer's last, queue and retries included: what takes longer "
        "gets a 504 or, once the answer has begun, is cut short. Raise it for long downloads and event streams; "
        "websockets are exempt");
    f.field("idle", t.idle, within(1ms, 24h),
            "how long an unused connection is kept (tcp: without a byte in either direction)");
  }
};

template <>
struct Table<Retries> {
  static constexpr std::string_view about =
      "Trying another endpoint, as long as the client has seen nothing. What was sent is sent again only if the method "
      "is idempotent.";
  static void fields(auto& f, auto& t) {
    f.field("attempts", t.attempts, count(0, 10), "tries after the first one; 0: never");
    f.field(
        "on", t.on, RetryOnShape{},
        "what is worth another try; `reset`: closed before the first byte, `silence`: the endpoint has answered nobody "
        "for a while in which others answered later requests, `timeout`: `per_try` passed");
    f.field("budget", t.budget, share(percent(0), percent(100)),
            "retries are at most this share of the requests, so that they cannot become a storm");
  }
};

template <>
struct Table<ServiceLimits> {
  static constexpr std::string_view about =
      "What the endpoints are spared. What finds no room waits in the queue; what finds no room there gets a 503.";
  static void fields(auto& f, auto& t) {
    f.field("connections_per_endpoint", t.connections_per_endpoint, count(1, 1'000'000),
            "in use at once, of all threads together");
    f.field("idle_connections_per_endpoint", t.idle_connections_per_endpoint, count(0, 100'000),
            "kept for the next request, by each thread");
    f.field("queue", t.queue, count(0, 1'000'000), "requests that wait for a connection");
    f.field("queue_timeout", t.queue_timeout, within(0s, 1h), "how long they wait");
    f.field("concurrency", t.concurrency, OneOf<Concurrency>{},
            "`adaptive`: no more requests at once than the service answers without slowing down, found by trying, on "
            "each thread; what is more gets a 503");
  }
};

}  // namespace holdfast::config

// Model: what a holdfast.yaml means once it has been read: complete, checked, every default filled in.
//
// Plain values, immutable by use (pass a `const Model`); equality tells what a reload changed. Each default stands
// here and nowhere else: the reader, `check --explain`, the JSON Schema and docs/configuration.md all take it from
// these structs. Names refer to services; load() has made sure that they exist. Keys, ranges and help texts:
// tables.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/time.h"
#include "config/address.h"
#include "config/units.h"

namespace holdfast::config {

// ---- cluster ------------------------------------------------------------------------------------

/// How the members of etcd prove who they are, and we to them. Paths of PEM files.
struct StoreTls {
  std::string ca{};           ///< who vouches for members; empty: whom the machine trusts
  std::string certificate{};  ///< who we are; empty: we do not say
  std::string key{};          ///< of the certificate

  bool operator==(const StoreTls&) const = default;
};

/// Where the common database is: `sqlite:/path`, `etcd://10.0.0.1:2379,10.0.0.2:2379`, or etcd with what it takes to be
/// let in.
struct StoreAddress {
  enum class Engine : std::uint8_t { sqlite, etcd };

  Engine engine = Engine::sqlite;
  std::string path{};              ///< of sqlite: the file, absolute
  std::vector<Address> members{};  ///< of etcd: at least one
  std::optional<StoreTls> tls{};   ///< none: in clear text
  std::string user{};              ///< empty: none
  std::string password_file{};     ///< of the user; the password itself is nobody's to copy

  bool operator==(const StoreAddress&) const = default;
};

struct Cluster {
  std::string name = "holdfast";
  StoreAddress store{.path = "/var/lib/holdfast/store.db"};
  std::string directory = "/var/lib/holdfast";  ///< what this node keeps for itself

  bool operator==(const Cluster&) const = default;
};

// ---- proxy and admin ----------------------------------------------------------------------------

enum class LogFormat : std::uint8_t { json };

struct AccessLog {
  std::string path = "stdout";  ///< "stdout", "stderr", "none" or a file
  LogFormat format = LogFormat::json;
  Share sample = percent(100);

  bool enabled() const { return path != "none"; }
  bool operator==(const AccessLog&) const = default;
};

/// A proxy with less memory than so many buffers would refuse what it could serve.
inline constexpr std::size_t kMemoryBuffersMin = 16;

struct Proxy {
  unsigned threads = 0;  ///< 0 (`auto` in the file): one event loop per core
  Duration drain_timeout = 30s;
  unsigned max_connections = 100'000;
  std::size_t memory = 0;  ///< of all buffers; 0 (`auto` in the file): half of what the machine lets us have
  std::size_t buffer_bytes = 32 * kKiB;
  AccessLog access_log{};

  bool operator==(const Proxy&) const = default;
};

struct Admin {
  Address bind{};

  bool operator==(const Admin&) const = default;
};

// ---- listeners ----------------------------------------------------------------------------------

enum class ListenerProtocol : std::uint8_t { http, tcp };

struct ListenerLimits {
  std::size_t target_bytes = 8 * kKiB;
  std::size_t header_bytes = 64 * kKiB;
  unsigned headers = 100;
  std::size_t body_bytes = 64 * kMiB;
  unsigned requests_per_connection = 1'000'000;
  Duration request_header_timeout = 10s;
  Duration stall_timeout = 30s;          ///< between two pieces of a body, in either direction
  std::size_t min_body_rate = 500;       ///< bytes a second, in either direction; 0: any
  Duration body_rate_grace = 20s;        ///< how far a client may fall behind that rate
  unsigned connections_per_address = 0;  ///< 0: any number
  Duration idle_timeout = 60s;           ///< http: between two requests; tcp: no byte in either direction

  bool operator==(const ListenerLimits&) const = default;
};

struct Redirect {
  std::string to{};  ///< the Location, as it stands
  std::uint16_t status = 302;

  bool operator==(const Redirect&) const = default;
};

/// What a route matches on the Host (case-insensitive, port ignored).
struct HostPattern {
  enum class Kind : std::uint8_t { any, exact, suffix };

  Kind kind = Kind::any;
  std::string name{};  ///< lower case; of a suffix with its dot, ".example.com": one label at least stands before it

  bool operator==(const HostPattern&) const = default;
};

struct Route {
  HostPattern host{};
  std::string path = "/";                        ///< a prefix of the path, byte for byte
  std::variant<std::string, Redirect> answer{};  ///< a service's name, or a redirect

  const std::string* service() const { return std::get_if<std::string>(&answer); }
  const Redirect* redirect() const { return std::get_if<Redirect>(&answer); }
  bool operator==(const Route&) const = default;
};

struct Listener {
  std::string name{};
  std::vector<Address> bind{};  ///< at least one; names are not allowed, port 0 is
  ListenerProtocol protocol = ListenerProtocol::http;
  ListenerLimits limits{};
  std::vector<Network> trusted_proxies{};  ///< whose X-Forwarded-* and X-Request-Id are believed
  std::string caller{};                    ///< the service that all its clients belong to; empty: nobody in particular
  bool by_service_name = false;            ///< Host: profile goes to the service `profile`; `routes` is then empty
  std::vector<Route> routes{};             ///< first match wins; tcp: exactly one, to a service

  bool operator==(const Listener&) const = default;
};

// ---- services -----------------------------------------------------------------------------------

enum class ServiceProtocol : std::uint8_t { http1, tcp };

enum class Algorithm : std::uint8_t {
  round_robin,
  weighted_round_robin,
  least_connections,
  two_choices,
  peak_ewma,
  random,
  hash,
};

/// "round_robin", … as the file writes them; "hash".
std::string_view to_string(Algorithm algorithm);

enum class HashAlgorithm : std::uint8_t { maglev, ring };

/// What is hashed: `client_ip`, `header:NAME`, `cookie:NAME`, `path`, `query:NAME`.
struct HashKey {
  enum class Source : std::uint8_t { client_ip, header, cookie, path, query };

  Source source = Source::client_ip;
  std::string name{};  ///< of the header (lower case), cookie or query parameter

  bool operator==(const HashKey&) const = default;
};

struct Hash {
  HashKey key{};
  HashAlgorithm algorithm = HashAlgorithm::maglev;
  std::optional<Share> bounded{};  ///< no endpoint gets more than this share of the mean load

  bool operator==(const Hash&) const = default;
};

struct Balance {
  Algorithm algorithm = Algorithm::round_robin;
  Hash hash{};                  ///< means something only for Algorithm::hash
  std::string sticky_cookie{};  ///< empty: no session affinity

  bool operator==(const Balance&) const = default;
};

struct Endpoint {
  Address address{};
  unsigned weight = 1;
  std::string zone{};
  bool backup = false;
  std::string host_name{};  ///< the name that `address` was found under (host_names.h); the file never sets it

  bool operator==(const Endpoint&) const = default;
};

/// From and to are both included.
struct StatusRange {
  std::uint16_t from = 200;
  std::uint16_t to = 399;

  bool contains(unsigned status) const { return status >= from && status <= to; }
  bool operator==(const StatusRange&) const = default;
};

struct HealthCheck {
  std::string http{};  ///< the path to GET; empty: a TCP connection is enough
  std::string host{};  ///< the Host sent; empty: the endpoint's address
  Duration interval = 1s;
  Duration timeout = 500ms;
  unsigned healthy_threshold = 2;
  unsigned unhealthy_threshold = 3;
  std::vector<StatusRange> expect{StatusRange{}};

  bool operator==(const HealthCheck&) const = default;
};

struct OutlierEjection {
  unsigned consecutive_failures = 5;
  Duration base_time = 5s;  ///< times the number of ejections in a row …
  Duration max_time = 60s;  ///< … but never more than this
  Share max_ejected = percent(50);

  bool operator==(const OutlierEjection&) const = default;
};

enum class AllDown : std::uint8_t { try_all, fail };

struct Timeouts {
  Duration connect = 1s;
  Duration per_try = 10s;  ///< until the endpoint's first byte
  Duration request = 30s;  ///< the whole: retries and the body of the answer included
  Duration idle = 60s;     ///< how long an unused connection to an endpoint is kept

  bool operator==(const Timeouts&) const = default;
};

struct RetryOn {
  bool connect_failure = true;
  bool reset = true;     ///< the endpoint closed before its first byte
  bool silence = true;   ///< the endpoint has answered nobody since, and others have answered later requests
  bool timeout = false;  ///< per_try passed
  std::vector<std::uint16_t> statuses{};

  bool operator==(const RetryOn&) const = default;
};

struct Retries {
  unsigned attempts = 2;  ///< after the first try; 0: never
  RetryOn on{};
  Share budget = percent(20);

  bool operator==(const Retries&) const = default;
};

/// Whether as many requests are let in flight as the endpoints answer well, found by trying.
enum class Concurrency : std::uint8_t { unlimited, adaptive };

struct ServiceLimits {
  unsigned connections_per_endpoint = 1024;
  unsigned idle_connections_per_endpoint = 128;  ///< per thread
  unsigned queue = 1024;
  Duration queue_timeout = 1s;
  Concurrency concurrency = Concurrency::unlimited;

  bool operator==(const ServiceLimits&) const = default;
};

enum class BreakerMode : std::uint8_t { enforce, observe, off };

struct Breaker {
  BreakerMode mode = BreakerMode::enforce;
  Share failure_rate = percent(50);
  unsigned minimum_requests = 20;
  unsigned consecutive_failures = 0;  ///< 0: failures in a row do not matter
  Duration window = 10s;
  Duration slow_call = 1s;
  Share slow_rate = percent(50);
  Duration open_for = 2s;       ///< longer the longer it is down …
  Duration max_open_for = 60s;  ///< … up to this
  unsigned probes = 3;
  Duration ramp = 10s;
  bool shared = true;  ///< with the other proxies of the cluster; without `cluster` there are none

  bool operator==(const Breaker&) const = default;
};

/// Of an answer in the file.
inline constexpr std::size_t kAnswerHeadersMax = 32;

struct HeaderLine {
  std::string name{};
  std::string value{};

  bool operator==(const HeaderLine&) const = default;
};

/// What is answered instead of an error; tried in this order, as far as they are given: stale, service, answer.
struct Fallback {
  Duration stale = 0s;                  ///< the last good answer to the same request, up to this age; 0s: not
  std::size_t stale_bytes = 64 * kMiB;  ///< memory for those answers
  std::string service{};                ///< another service gets the request; empty: none
  std::uint16_t status = 0;             ///< of an answer of our own; 0: there is none
  std::vector<HeaderLine> headers{};    ///< of that answer
  std::string body{};                   ///< of that answer
  std::string file{};                   ///< its body, read when the configuration is; empty: `body` is it
  unsigned concurrency = 1'000;         ///< requests that may be answered by a fallback at once, per thread

  bool operator==(const Fallback&) const = default;
};

struct Service {
  std::string name{};
  ServiceProtocol protocol = ServiceProtocol::http1;
  Balance balance{};
  std::vector<Endpoint> endpoints{};  ///< at least one, unless they are found
  bool endpoints_found = false;       ///< `store` in the file: those that the store has under endpoint/NAME/
  std::optional<HealthCheck> health_check{};
  std::optional<OutlierEjection> outlier_ejection = OutlierEjection{};
  AllDown all_down = AllDown::try_all;
  Duration slow_start = 0s;  ///< 0s: full weight at once
  Timeouts timeouts{};
  Retries retries{};
  ServiceLimits limits{};
  std::vector<std::string> calls{};  ///< services that this one depends on; cycles are allowed: it draws the graph
  std::optional<Breaker> breaker{};
  std::optional<Fallback> fallback{};

  bool operator==(const Service&) const = default;
};

// ---- the whole ----------------------------------------------------------------------------------

struct Model {
  std::optional<Cluster> cluster{};
  Proxy proxy{};
  std::optional<Admin> admin{};
  std::vector<Listener> listeners{};  ///< in the order of the file
  std::vector<Service> services{};    ///< in the order of the file

  bool operator==(const Model&) const = default;
};

/// The service of that name; null if there is none. Linear: keep the pointer or an index, do not ask per request.
const Service* find_service(const Model& model, std::string_view name);

}  // namespace holdfast::config

// Tables: every key of the file, once, with its shape, range and meaning. The reader, `check --explain`, the JSON
// Schema and docs/configuration.md are made from them; the defaults are those of the structs in model.h.
//
// Help texts are markdown, small letters first, without a full stop. The contract's keys that this version cannot do
// yet are here too (not_yet), so that they are told apart from slips.
#pragma once

#include "config/model.h"
#include "config/section.h"
#include "config/service_tables.h"
#include "config/values.h"
#include "config/word_shapes.h"

namespace holdfast::config {

// ---- the whole file -----------------------------------------------------------------------------

template <>
struct Table<Model> {
  static constexpr std::string_view about = "The whole file.";
  static void fields(auto& f, auto& t) {
    f.field("cluster", t.cluster, Maybe<Cluster>{}, "what several processes and machines have in common");
    f.field("proxy", t.proxy, Section<Proxy>{}, "the process as a whole");
    f.field("admin", t.admin, Maybe<Admin>{}, "the admin API; without it there is none");
    f.required("listeners", t.listeners, Named<Listener>{1'000}, "where clients come in");
    f.field("services", t.services, Named<Service>{10'000}, "where requests go");
    f.not_yet("databases", "PostgreSQL kept available");
  }
};

// ---- cluster ------------------------------------------------------------------------------------

template <>
struct Table<Cluster> {
  static constexpr std::string_view about = "What several processes and machines have in common.";
  static void fields(auto& f, auto& t) {
    f.field("name", t.name, kName, "tells clusters apart that share an etcd: its keys begin with `/holdfast/NAME/`");
    f.field("store", t.store, StoreShape{},
            "the common database: `sqlite:/var/lib/holdfast/store.db` for the processes of one machine, "
            "`etcd://10.0.0.1:2379,10.0.0.2:2379,10.0.0.3:2379` for several machines, or a section with an etcd that "
            "asks who we are");
    f.field("directory", t.directory, kPath,
            "what this node keeps for itself: what it last knew of the store, for a start without it");
    f.not_yet("nodes", "the machines of the cluster");
    f.not_yet("virtual_ips", "addresses that move between machines");
    f.not_yet("dns", "names of services");
  }
};

template <>
struct Table<StoreAddress> {
  static constexpr std::string_view about = "An etcd that is reached by TLS, or asks for a password.";
  static void fields(auto& f, auto& t) {
    f.required("etcd", t.members, list_of(kStoreMember, 1, kStoreMembersMax), "its members, `10.0.0.1:2379`");
    f.field("tls", t.tls, Maybe<StoreTls>{}, "members are reached by TLS; without it in clear text");
    f.field("user", t.user, TextOrNone{kUser}, "who we are by password");
    f.field("password", t.password_file, TextOrNone{kSecretFile}, "where the password is: `file:/run/secrets/etcd`");
  }
};

template <>
struct Table<StoreTls> {
  static constexpr std::string_view about = "TLS 1.2 or later; a member's certificate must name its address.";
  static void fields(auto& f, auto& t) {
    f.field("ca", t.ca, TextOrNone{kPath}, "PEM: who vouches for members; without it whom the machine trusts");
    f.field("certificate", t.certificate, TextOrNone{kPath}, "PEM: ours, with its chain, if members ask for one");
    f.field("key", t.key, TextOrNone{kPath}, "PEM: its private key");
  }
};

// ---- proxy and admin ----------------------------------------------------------------------------

template <>
struct Table<Proxy> {
  static constexpr std::string_view about = "The process as a whole.";
  static void fields(auto& f, auto& t) {
    f.field("threads", t.threads, count_or("auto", 1, 1024), "event loops; `auto` is one per core");
    f.field("drain_timeout", t.drain_timeout, within(0s, 1h),
            "how long requests in flight may take to finish when the proxy stops");
    f.field("max_connections", t.max_connections, count(1, 10'000'000),
            "client connections of all listeners; further ones wait in the kernel");
    f.field(
        "memory", t.memory, bytes_or("auto", 4 * kMiB, 16 * kTiB),
        "all buffers of all connections together; `auto` is half of the machine's memory, or of the cgroup's. When it "
        "is used up, new connections wait in the kernel and new requests get a 503");
    f.field("buffer_bytes", t.buffer_bytes, bytes(4 * kKiB, 16 * kMiB),
            "room for the bytes on their way, each direction of each busy connection");
    f.field("access_log", t.access_log, Section<AccessLog>{}, "one record for each request");
  }
};

template <>
struct Table<AccessLog> {
  static constexpr std::string_view about = "One record for each request.";
  static void fields(auto& f, auto& t) {
    f.field("path", t.path, kLogPath, "where the records go");
    f.field(
        "format", t.format, OneOf<LogFormat>{},
        "how a record is written: one JSON object a line, with `time`, `client`, `method`, `host`, `path`, `status` "
        "(0: the client was gone), `duration_us`, `upstream_us` (to the endpoint's first byte), `request_bytes` and "
        "`response_bytes` (of the bodies), `attempts`, `listener`, `service`, `endpoint`, `breaker` (the first that "
        "was asked), "
        "`reason` and `request_id`; "
        "a text that is empty is left out");
    f.field("sample", t.sample, share(percent(0), percent(100)), "how many of the requests are recorded");
  }
};

template <>
struct Table<Admin> {
  static constexpr std::string_view about =
      "The admin API: `/healthz`, `/metrics` and `/v1/…`. It has no passwords: bind it where only you can reach it.";
  static void fields(auto& f, auto& t) {
    f.required("bind", t.bind, kBindAddress, "the address to listen on, such as `127.0.0.1:7070`");
  }
};

// ---- listeners ----------------------------------------------------------------------------------

template <>
struct Table<Listener> {
  static constexpr std::string_view about = "Where clients come in, and to which service their requests go.";
  static void fields(auto& f, auto& t) {
    f.required("bind", t.bind, one_or_more(kBindAddress, 64),
               "`0.0.0.0:80`, `\"[::]:80\"` or `unix:/run/x.sock`; port 0 lets the kernel choose");
    f.field("protocol", t.protocol, OneOf<ListenerProtocol>{}, "what clients speak");
    f.field("limits", t.limits, Section<ListenerLimits>{}, "what a client may ask of us");
    f.field("trusted_proxies", t.trusted_proxies, list_of(kNetwork, 0, 1'000),
            "clients whose `X-Forwarded-*` and `X-Request-Id` are believed; of all others they are replaced");
    f.field(
        "caller", t.caller, TextOrNone{kName},
        "the service that all these clients belong to: breakers of what they call are theirs. Where it is "
        "not given, callers behind `by_service_name` say it themselves in `X-Holdfast-Caller`; elsewhere they are not "
        "heard");
    f.required("routes", t, RoutesShape{},
               "first match wins; `by_service_name`: `Host: profile` goes to the service `profile`");
    f.not_yet("tls", "certificates, chosen by SNI");
    f.not_yet("accept_proxy_protocol", "the client's address from a PROXY header");
    f.not_yet("database", "the database behind a postgresql listener");
  }
};

template <>
struct Table<ListenerLimits> {
  static constexpr std::string_view about =
      "What a client may ask of us. Beyond a limit the request is refused with the fitting status, or the connection "
      "closed.";
  static void fields(auto& f, auto& t) {
    f.field("target_bytes", t.target_bytes, bytes(64, 256 * kKiB),
            "the request's target, as in `GET target HTTP/1.1` (414 beyond)");
    f.field("header_bytes", t.header_bytes, bytes(kKiB, kMiB),
            "the whole head of a request (431 beyond) or of its answer (502 beyond)");
    f.field("headers", t.headers, count(1, 10'000),
            "header fields of a request (431 beyond) or of its answer (502 beyond)");
    f.field("body_bytes", t.body_bytes, bytes(0, kTiB), "the body of a request (413 beyond)");
    f.field("requests_per_connection", t.requests_per_connection, count(1, 1'000'000'000),
            "requests until the connection is closed");
    f.field("request_header_timeout", t.request_header_timeout, within(1ms, 1h),
            "from a request's first byte to the end of its head (408 beyond)");
    f.field("stall_timeout", t.stall_timeout, within(1ms, 1h),
            "the longest pause within a body, sent or taken by the client");
    f.field("min_body_rate", t.min_body_rate, bytes(0, kGiB),
            "bytes a second at which a client sends its body (408 below) and takes the answer (cut short below), while "
            "we wait for nobody else; 0: any");
    f.field("body_rate_grace", t.body_rate_grace, within(1ms, 1h), "how far a client may fall behind `min_body_rate`");
    f.field(
        "connections_per_address", t.connections_per_address, count(0, 10'000'000),
        "connections of one client address (IPv6: of one /64) at once; further ones get a 503 and are closed; 0: any "
        "number. Many clients may share an address; `trusted_proxies` are exempt");
    f.field("idle_timeout", t.idle_timeout, within(1ms, 24h),
            "http: between two requests; tcp: without a byte in either direction");
  }
};

template <>
struct Table<Route> {
  static constexpr std::string_view about =
      "A route matches when both host and path do. It has a service or a redirect.";
  static void fields(auto& f, auto& t) {
    f.field("host", t.host, kHostPattern,
            "a host, or all below one: `\"*.example.com\"` matches `a.example.com` and `a.b.example.com`, not "
            "`example.com`");
    f.field("path", t.path, kPath,
            "a prefix of the path, byte for byte: `/api` matches `/apis` too, `/api/` does not match `/api`");
    f.choice("service", t, RouteService{}, "where the request goes");
    f.choice("redirect", t, RouteRedirect{}, "what is answered instead");
  }
};

template <>
struct Table<Redirect> {
  static constexpr std::string_view about = "An answer that sends the client elsewhere.";
  static void fields(auto& f, auto& t) {
    f.required("to", t.to, kLocation, "the `Location`, sent as it stands");
    f.field("status", t.status, kRedirectStatus, "307 and 308 keep the method; 301 and 308 are for ever");
  }
};

}  // namespace holdfast::config

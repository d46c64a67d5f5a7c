// TCP services: a connection is the request. What fails before the first byte is passed on may fail elsewhere instead.
#include <array>

#include "base/hash.h"
#include "io/loop.h"
#include "proxy/session.h"
#include "proxy/tunnel.h"

namespace holdfast::proxy {
namespace {

// A claim on an endpoint, given back when it goes.
struct Claim : Pinned {
  ~Claim() {
    if (held) service->release(endpoint);
  }
  upstream::LocalService* service = nullptr;
  std::uint32_t endpoint = 0;
  bool held = false;
};

bool claim(Claim& claim, std::string_view client, std::span<const std::uint32_t> tried, Instant now) {
  balance::Question question;
  question.tried = tried;
  if (claim.service->config().balance.algorithm == config::Algorithm::hash) question.hash = hash64(client);
  const balance::Pick pick = claim.service->pick(question, now);
  claim.held = pick.outcome == balance::Outcome::picked;
  claim.endpoint = pick.index;
  return claim.held;
}

}  // namespace

io::Task<> serve_tcp(std::unique_ptr<Session> client) {
  Session& session = *client;
  session.idle = false;
  Worker& worker = session.worker();
  const std::shared_ptr<const LocalSnapshot> snapshot = session.front().snapshot;
  const Listener& config = *session.front().listener;
  upstream::LocalService& service = *snapshot->services[config.router.only().service];
  io::Loop& loop = worker.loop();
  const Instant started = loop.now();
  const std::size_t attempts = 1 + service.config().retries.attempts;
  std::array<std::uint32_t, 8> tried{};
  std::unique_ptr<io::Stream> server;
  bool out_of_files = false;
  Claim claimed;
  claimed.service = &service;

  for (std::size_t attempt = 0; attempt < std::min(attempts, tried.size()) && server == nullptr; ++attempt) {
    if (!claim(claimed, session.client(), {tried.data(), attempt}, loop.now())) break;
    tried[attempt] = claimed.endpoint;
    upstream::LocalEndpoint& endpoint = service.endpoint(claimed.endpoint);
    endpoint.requests.add();
    endpoint.connects.add();
    Result<std::unique_ptr<io::Stream>> opened = io::Stream::start_connect(loop, endpoint.endpoint->address);
    // Out of files is our own fault: no endpoint is blamed for it.
    out_of_files = !opened && opened.error().side == Side::local;
    if (out_of_files) break;
    int error = 1;
    if (opened) error = co_await (*opened)->connected(loop.now() + service.config().timeouts.connect);
    if (error == 0) {
      server = std::move(*opened);
      break;
    }
    endpoint.failures.add();
    endpoint.connect_failures.add();
    worker.health().report_connect_failure(service.shared_service(), claimed.endpoint);
    service.release(claimed.endpoint);
    claimed.held = false;
  }
  service.requests.add();
  AccessRecord record;
  record.client = session.client();
  record.listener = session.front().name;
  record.service = service.service().name();
  if (server == nullptr) {
    record.reason = out_of_files ? "out-of-files" : "no-healthy-endpoint";
    if (out_of_files) worker.refused_by_files.add();
    session.stream().reset_on_close();
  } else {
    record.endpoint = service.endpoint(claimed.endpoint).endpoint->name;
    const TunnelEnd end =
        co_await tunnel(session.stream(), *server, worker.buffers(), config.config.limits.idle_timeout);
    record.request_bytes = end.to_server;
    record.response_bytes = end.to_client;
    if (end.idle) record.reason = "idle-timeout";
  }
  service.latency.record(loop.now() - started);
  if (worker.log_ring() == nullptr) co_return;
  record.duration_us = static_cast<std::uint32_t>(std::min<Duration::rep>((loop.now() - started) / 1us, UINT32_MAX));
  record.wall_us = worker.wall_clock_us() - record.duration_us;
  worker.log_ring()->push(record);
}

}  // namespace holdfast::proxy

// LocalService: one loop's side of a service: its balancer, its idle connections, its counters.
// Nothing here is shared but through Service and Endpoint; the counters may be read from other threads.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "balance/affinity.h"
#include "balance/balancer.h"
#include "balance/concurrency_limit.h"
#include "balance/retry_budget.h"
#include "balance/retry_throttle.h"
#include "base/counter.h"
#include "base/histogram.h"
#include "base/prng.h"
#include "health/silence.h"
#include "upstream/connection.h"
#include "upstream/service.h"

namespace holdfast::io {
class Loop;
}

namespace holdfast::upstream {

/// One loop's side of an endpoint. Taken over by the next LocalService when the endpoint stays.
struct LocalEndpoint : Pinned {
  explicit LocalEndpoint(std::shared_ptr<Endpoint> endpoint_) : endpoint(std::move(endpoint_)) {}

  const std::shared_ptr<Endpoint> endpoint;
  ConnectionPool idle;
  Counter requests;
  Counter failures;
  Counter connects;
  Counter connect_failures;
  Instant heard{};               ///< when it last answered anybody
  std::uint32_t unanswered = 0;  ///< requests sent to it since then that have not failed
};

class LocalService : Pinned {
 public:
  /// `predecessor` (may be null) hands over balancer state and what it holds of endpoints that stay.
  LocalService(io::Loop& loop, std::shared_ptr<Service> service, const LocalService* predecessor, std::uint64_t seed);
  ~LocalService();

  Service& service() { return *service_; }
  const Service& service() const { return *service_; }
  const std::shared_ptr<Service>& shared_service() const { return service_; }
  const config::Service& config() const { return service_->config(); }

  LocalEndpoint& endpoint(std::uint32_t index) { return *endpoints_[index]; }
  std::span<const std::shared_ptr<LocalEndpoint>> endpoints() const { return endpoints_; }

  /// Picks and claims an endpoint; every pick that says `picked` is owed a release().
  balance::Pick pick(const balance::Question& question, Instant now);
  /// Gives a claim back: to a request that waits for one, if there is any.
  void release(std::uint32_t index);

  /// The first byte of an answer came.
  void hear(std::uint32_t index, Instant asked, Instant now);
  /// How long a request waits for its first byte before the endpoint is suspected.
  Duration patience() const { return health::patience(usual_); }
  /// It answers nobody, while others answer.
  bool is_silent(std::uint32_t index, Instant asked, Instant now) const {
    const LocalEndpoint& endpoint = *endpoints_[index];
    return health::is_silent({asked, endpoint.heard, endpoint.unanswered, newest_answered_}, patience(), now);
  }

  /// What an answer says about the endpoint's latency, for the policy that asks.
  void observe(std::uint32_t index, Duration took, bool failed, Instant now);

  /// The value of an affinity cookie, and back; none for a token that names no endpoint of today.
  balance::Token token_of(std::uint32_t index) const;
  std::optional<std::uint32_t> endpoint_of_token(std::optional<std::string_view> token) const;

  void close_idle_since(Instant oldest);
  /// A reload has put `successor` (may be null) in its place: nothing is kept for endpoints that are not there any
  /// more. Requests that began with this service end with it.
  void retire(const LocalService* successor);

  balance::RetryBudget retry_budget;
  balance::RetryThrottle retry_throttle;
  /// Null: as many requests at once as there are.
  balance::ConcurrencyLimit* concurrency() { return concurrency_ ? &*concurrency_ : nullptr; }
  Counter requests;
  Counter retries;
  Counter queue_full;
  Counter queue_timeouts;
  Counter refused_by_concurrency;
  Counter fallbacks_stale;       ///< answers from StaleAnswers
  Counter fallbacks_by_service;  ///< requests that went to another service
  Counter fallbacks_from_file;
  Counter fallbacks_refused;  ///< beyond fallback.concurrency
  std::uint32_t fallbacks_in_flight = 0;
  std::array<Counter, 6> answers;  ///< by status class; 0: no answer
  Histogram latency;

 private:
  io::Loop* loop_;
  std::shared_ptr<Service> service_;
  std::vector<std::shared_ptr<LocalEndpoint>> endpoints_;
  Prng prng_;
  std::uint64_t token_key_;
  balance::Balancer balancer_;
  std::optional<balance::ConcurrencyLimit> concurrency_;
  std::uint64_t shares_version_ = 0;
  std::vector<std::uint16_t> shares_;
  Instant newest_answered_{};  ///< of the requests that have an answer: when the last was asked
  Duration usual_{};           ///< time to the first byte, smoothed
};

}  // namespace holdfast::upstream

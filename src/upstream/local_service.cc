#include "upstream/local_service.h"

#include "base/hash.h"
#include "io/loop.h"

namespace holdfast::upstream {
namespace {

/// Tokens of one service say nothing about another's.
constexpr std::uint64_t kTokenSalt = 0x73746963'6b79'0001;

balance::Policy policy_of(const config::Balance& balance) {
  balance::Policy policy;
  switch (balance.algorithm) {
    case config::Algorithm::round_robin: policy.algorithm = balance::Algorithm::round_robin; break;
    case config::Algorithm::weighted_round_robin: policy.algorithm = balance::Algorithm::weighted_round_robin; break;
    case config::Algorithm::least_connections: policy.algorithm = balance::Algorithm::least_connections; break;
    case config::Algorithm::two_choices: policy.algorithm = balance::Algorithm::two_choices; break;
    case config::Algorithm::peak_ewma: policy.algorithm = balance::Algorithm::peak_ewma; break;
    case config::Algorithm::random: policy.algorithm = balance::Algorithm::random; break;
    case config::Algorithm::hash:
      policy.algorithm = balance.hash.algorithm == config::HashAlgorithm::maglev ? balance::Algorithm::maglev
                                                                                 : balance::Algorithm::ring;
      if (balance.hash.bounded) policy.bounded_percent = balance.hash.bounded->basis_points / 100;
      break;
  }
  return policy;
}

std::vector<balance::Member> members_of(const Service& service) {
  std::vector<balance::Member> members;
  members.reserve(service.endpoints().size());
  for (std::size_t i = 0; i < service.endpoints().size(); ++i) {
    Endpoint& endpoint = *service.endpoints()[i];
    members.push_back({endpoint.identity, service.config().endpoints[i].weight, &endpoint.load});
  }
  return members;
}

}  // namespace

LocalService::LocalService(io::Loop& loop, std::shared_ptr<Service> service, const LocalService* predecessor,
                           std::uint64_t seed)
    : retry_budget(service->config().retries.budget.basis_points / 100),
      loop_(&loop),
      service_(std::move(service)),
      prng_(seed),
      token_key_(hash64(service_->name(), kTokenSalt)),
      balancer_(policy_of(service_->config().balance), members_of(*service_), seed) {
  endpoints_.reserve(service_->endpoints().size());
  for (const std::shared_ptr<Endpoint>& endpoint : service_->endpoints()) {
    std::shared_ptr<LocalEndpoint> local;
    if (predecessor != nullptr) {
      const std::optional<std::uint32_t> before = predecessor->service().index_of(*endpoint);
      if (before) local = predecessor->endpoints_[*before];
    }
    endpoints_.push_back(local != nullptr ? std::move(local) : std::make_shared<LocalEndpoint>(endpoint));
  }
  if (predecessor != nullptr) balancer_.adopt(predecessor->balancer_);
  if (service_->config().limits.concurrency == config::Concurrency::adaptive) {
    concurrency_.emplace();
    if (predecessor != nullptr && predecessor->concurrency_) concurrency_->adopt(*predecessor->concurrency_);
  }
}

LocalService::~LocalService() = default;

balance::Pick LocalService::pick(const balance::Question& question, Instant now) {
  if (shares_version_ != service_->shares_version()) {
    shares_version_ = service_->shares_version();
    service_->read_shares(shares_);
    balancer_.set_shares(shares_);
  }
  return balancer_.pick(question, now, prng_);
}

void LocalService::release(std::uint32_t index) { service_->queue().release(*loop_, *service_, index); }

void LocalService::hear(std::uint32_t index, Instant asked, Instant now) {
  constexpr int kMemory = 8;  // answers, about
  endpoints_[index]->heard = now;
  endpoints_[index]->unanswered = 0;
  newest_answered_ = std::max(newest_answered_, asked);
  usual_ += ((now - asked) - usual_) / kMemory;
}

void LocalService::observe(std::uint32_t index, Duration took, bool failed, Instant now) {
  if (config().balance.algorithm != config::Algorithm::peak_ewma) return;
  balance::observe(endpoints_[index]->endpoint->load, took, failed, now);
}

void LocalService::close_idle_since(Instant oldest) {
  for (const std::shared_ptr<LocalEndpoint>& endpoint : endpoints_) {
    if (endpoint->idle.size() != 0) endpoint->idle.close_idle_since(oldest);
  }
}

void LocalService::retire(const LocalService* successor) {
  for (const std::shared_ptr<LocalEndpoint>& endpoint : endpoints_) {
    if (successor != nullptr && successor->service().index_of(*endpoint->endpoint)) continue;
    endpoint->idle.retire();
  }
}

balance::Token LocalService::token_of(std::uint32_t index) const {
  return balance::make_token(endpoints_[index]->endpoint->identity, token_key_);
}

std::optional<std::uint32_t> LocalService::endpoint_of_token(std::optional<std::string_view> token) const {
  if (!token) return std::nullopt;
  return balance::find_token(balancer_.members(), *token, token_key_);
}

}  // namespace holdfast::upstream

#include "upstream/service.h"

#include <algorithm>

#include "balance/member.h"
#include "base/check.h"
#include "base/hash.h"
#include "io/loop.h"
#include "upstream/local_service.h"

namespace holdfast::upstream {
namespace {

Result<io::SocketAddress> socket_address(const config::Address& address) {
  switch (address.kind) {
    case config::Address::Kind::unix_path: return io::SocketAddress::from_unix(address.host);
    case config::Address::Kind::name:
      return fail(Code::internal, Side::local, "a host name where an address was due (config/host_names.h)");
    case config::Address::Kind::ip4:
    case config::Address::Kind::ip6: break;
  }
  return io::SocketAddress::from_ip(address.host, address.port);
}

std::shared_ptr<Endpoint> find(const Service* service, std::uint64_t identity) {
  if (service == nullptr) return nullptr;
  for (const auto& endpoint : service->endpoints()) {
    if (endpoint->identity == identity) return endpoint;
  }
  return nullptr;
}

}  // namespace

Result<std::shared_ptr<Service>> Service::make(const config::Service& config, const Service* predecessor) {
  std::vector<std::shared_ptr<Endpoint>> endpoints;
  endpoints.reserve(config.endpoints.size());
  const std::uint64_t seed = hash64(config.name);
  for (const config::Endpoint& each : config.endpoints) {
    const std::string name = config::to_string(each.address);
    const std::uint64_t identity = hash64(name, seed);
    std::shared_ptr<Endpoint> endpoint = find(predecessor, identity);
    if (endpoint == nullptr) {
      Result<io::SocketAddress> address = socket_address(each.address);
      if (!address) return pass(address, "endpoint " + name + " of service " + config.name);
      endpoint = std::make_shared<Endpoint>(name, *address, identity);
    }
    endpoints.push_back(std::move(endpoint));
  }
  return std::make_shared<Service>(config, std::move(endpoints));
}

Service::Service(config::Service config, std::vector<std::shared_ptr<Endpoint>> endpoints)
    : config_(std::move(config)),
      endpoints_(std::move(endpoints)),
      shares_(std::make_unique<std::atomic<std::uint16_t>[]>(endpoints_.size())) {
  for (std::size_t i = 0; i < endpoints_.size(); ++i) {
    shares_[i].store(config_.endpoints[i].backup ? 0 : balance::kWholeShare, std::memory_order_relaxed);
  }
}

void Service::take_effect() {
  for (const auto& endpoint : endpoints_) {
    endpoint->load.limit.store(config_.limits.connections_per_endpoint, std::memory_order_relaxed);
  }
}

void Service::publish_shares(std::span<const std::uint16_t> shares) {
  check(shares.size() == endpoints_.size(), "one share per endpoint");
  for (std::size_t i = 0; i < shares.size(); ++i) shares_[i].store(shares[i], std::memory_order_relaxed);
  shares_version_.fetch_add(1, std::memory_order_release);
}

void Service::read_shares(std::vector<std::uint16_t>& into) const {
  into.resize(endpoints_.size());
  for (std::size_t i = 0; i < into.size(); ++i) into[i] = shares_[i].load(std::memory_order_relaxed);
}

bool Service::enter_queue() {
  if (queued_.fetch_add(1, std::memory_order_relaxed) < config_.limits.queue) return true;
  leave_queue();
  return false;
}

void Service::attach(io::Loop& loop, const std::shared_ptr<LocalService>& local) {
  const std::lock_guard lock(branches_mutex_);
  std::erase_if(branches_, [](const Branch& branch) { return branch.local.expired(); });
  branches_.push_back(Branch{&loop, local.get(), local});
}

void Service::wake_elsewhere(const LocalService* except) {
  const std::lock_guard lock(branches_mutex_);
  for (const Branch& branch : branches_) {
    if (branch.id == except) continue;
    // Locked over there only: the last owner must not die on this thread.
    branch.loop->post([local = branch.local] {
      if (const std::shared_ptr<LocalService> there = local.lock()) there->wake_one();
    });
  }
}

}  // namespace holdfast::upstream

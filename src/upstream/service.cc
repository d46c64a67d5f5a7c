#include "upstream/service.h"

#include <algorithm>
#include <fstream>

#include "balance/member.h"
#include "base/check.h"
#include "base/hash.h"

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

Result<std::string> read_fallback_body(const config::Service& config) {
  if (!config.fallback || config.fallback->file.empty()) return config.fallback ? config.fallback->body : std::string();
  const std::string& path = config.fallback->file;
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Code::missing, Side::local, path + " cannot be read");
  std::string body(kFallbackBytesMax + 1, '\0');
  file.read(body.data(), static_cast<std::streamsize>(body.size()));
  if (file.bad()) return fail(Code::internal, Side::local, path + " cannot be read");
  body.resize(static_cast<std::size_t>(file.gcount()));
  if (body.size() > kFallbackBytesMax) {
    return fail(Code::invalid, Side::local,
                path + " is larger than " + std::to_string(kFallbackBytesMax / 1024) + "KiB; make it smaller");
  }
  return body;
}

}  // namespace

Result<std::shared_ptr<Service>> Service::make(const config::Service& config, const Service* predecessor) {
  std::vector<std::shared_ptr<Endpoint>> endpoints;
  endpoints.reserve(config.endpoints.size());
  const std::uint64_t seed = hash64(config.name);
  for (const config::Endpoint& each : config.endpoints) {
    const std::string name = config::to_string(each.address);
    const std::uint64_t identity = hash64(name, seed);
    std::shared_ptr<Endpoint> endpoint;
    if (predecessor != nullptr) {
      const auto before = predecessor->by_identity_.find(identity);
      if (before != predecessor->by_identity_.end()) endpoint = predecessor->endpoints_[before->second];
    }
    if (endpoint == nullptr) {
      Result<io::SocketAddress> address = socket_address(each.address);
      if (!address) return pass(address, "endpoint " + name + " of service " + config.name);
      endpoint = std::make_shared<Endpoint>(name, *address, identity);
    }
    endpoints.push_back(std::move(endpoint));
  }
  Result<std::string> fallback_body = read_fallback_body(config);
  if (!fallback_body) return pass(fallback_body, "fallback of service " + config.name);
  Lasting lasting;
  if (predecessor != nullptr) lasting = predecessor->lasting_;
  if (predecessor == nullptr) {
    lasting.queue = std::make_shared<Queue>(config.limits.queue);
    lasting.stale_answers = std::make_shared<StaleAnswers>(config::Fallback{}.stale_bytes);
  }
  return std::make_shared<Service>(config, std::move(endpoints), std::move(lasting), std::move(*fallback_body));
}

Service::Service(config::Service config, std::vector<std::shared_ptr<Endpoint>> endpoints, Lasting lasting,
                 std::string fallback_body)
    : config_(std::move(config)),
      endpoints_(std::move(endpoints)),
      shares_(std::make_unique<std::atomic<std::uint16_t>[]>(endpoints_.size())),
      lasting_(std::move(lasting)),
      fallback_body_(std::move(fallback_body)) {
  by_identity_.reserve(endpoints_.size());
  for (std::size_t i = 0; i < endpoints_.size(); ++i) {
    by_identity_.emplace(endpoints_[i]->identity, static_cast<std::uint32_t>(i));
    shares_[i].store(config_.endpoints[i].backup ? 0 : balance::kWholeShare, std::memory_order_relaxed);
  }
}

void Service::take_effect() {
  for (const auto& endpoint : endpoints_) {
    endpoint->load.limit.store(config_.limits.connections_per_endpoint, std::memory_order_relaxed);
  }
  queue().set_limit(config_.limits.queue);
  queue().look_again();
  const bool keeps_answers = config_.fallback && config_.fallback->stale > Duration::zero();
  stale_answers().set_bytes_max(keeps_answers ? config_.fallback->stale_bytes : 0);
}

std::optional<std::uint32_t> Service::index_of(const Endpoint& endpoint) const {
  const auto found = by_identity_.find(endpoint.identity);
  if (found == by_identity_.end() || endpoints_[found->second].get() != &endpoint) return std::nullopt;
  return found->second;
}

void Service::publish_shares(std::span<const std::uint16_t> shares) {
  check(shares.size() == endpoints_.size(), "one share per endpoint");
  bool somebody_new = false;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const std::uint16_t before = shares_[i].exchange(shares[i], std::memory_order_relaxed);
    somebody_new |= before == 0 && shares[i] != 0;
  }
  shares_version_.fetch_add(1, std::memory_order_release);
  const bool nobody = std::ranges::all_of(shares, [](std::uint16_t share) { return share == 0; });
  if (somebody_new || nobody) queue().look_again();
}

void Service::read_shares(std::vector<std::uint16_t>& into) const {
  into.resize(endpoints_.size());
  for (std::size_t i = 0; i < into.size(); ++i) into[i] = shares_[i].load(std::memory_order_relaxed);
}

}  // namespace holdfast::upstream

#include "proxy/snapshot.h"

#include <algorithm>
#include <unordered_map>

namespace holdfast::proxy {
namespace {

http::Limits limits_of(const config::ListenerLimits& limits) {
  http::Limits head;
  head.header_bytes = static_cast<std::uint32_t>(limits.header_bytes);
  head.headers = limits.headers;
  head.target_bytes = static_cast<std::uint32_t>(limits.target_bytes);
  head.field_bytes = std::min(head.field_bytes, head.header_bytes);
  return head;
}

}  // namespace

Listener::Listener(const config::Listener& config_, const config::Model& model)
    : config(config_), router(config_, model), head_limits(limits_of(config_.limits)) {}

bool Listener::trusts(const io::SocketAddress& peer) const {
  if (config.trusted_proxies.empty()) return false;
  const std::string_view bytes = peer.ip_bytes();
  config::Network::Bytes address{};
  if (bytes.size() == 4) {
    std::array<std::uint8_t, 4> ip4{};
    std::copy_n(reinterpret_cast<const std::uint8_t*>(bytes.data()), ip4.size(), ip4.begin());
    address = config::Network::mapped(ip4);
  } else if (bytes.size() == address.size()) {
    std::copy_n(reinterpret_cast<const std::uint8_t*>(bytes.data()), address.size(), address.begin());
  } else {
    return false;
  }
  return std::ranges::any_of(config.trusted_proxies,
                             [&address](const config::Network& network) { return network.contains(address); });
}

const Listener* Snapshot::find_listener(const std::string& name) const {
  const auto found = std::ranges::find(listeners, name, [](const Listener& each) { return each.config.name; });
  return found == listeners.end() ? nullptr : &*found;
}

Snapshot::Snapshot(config::Model model_, const Guards::FindCircuit& find_circuit)
    : model(std::move(model_)), guards(model, find_circuit), stand_ins(model.services.size(), kNoService) {
  for (std::size_t i = 0; i < model.services.size(); ++i) {
    const std::optional<config::Fallback>& fallback = model.services[i].fallback;
    if (!fallback || fallback->service.empty()) continue;
    const auto found = std::ranges::find(model.services, fallback->service, &config::Service::name);
    if (found != model.services.end()) stand_ins[i] = static_cast<std::uint32_t>(found - model.services.begin());
  }
}

Result<std::shared_ptr<const Snapshot>> make_snapshot(config::Model model, const Snapshot* previous,
                                                      const Guards::FindCircuit& find_circuit) {
  std::unordered_map<std::string, std::shared_ptr<upstream::Service>> old;
  if (previous != nullptr) {
    for (const auto& service : previous->services) old.emplace(service->name(), service);
  }
  auto next = std::make_shared<Snapshot>(std::move(model), find_circuit);
  next->generation = previous == nullptr ? 1 : previous->generation + 1;
  next->services.reserve(next->model.services.size());
  for (const config::Service& config : next->model.services) {
    const auto found = old.find(config.name);
    const std::shared_ptr<upstream::Service> before = found == old.end() ? nullptr : found->second;
    if (before != nullptr && before->config() == config) {
      next->services.push_back(before);
      continue;
    }
    Result<std::shared_ptr<upstream::Service>> service = upstream::Service::make(config, before.get());
    if (!service) return pass(service, "services." + config.name);
    next->services.push_back(std::move(*service));
  }
  next->listeners.reserve(next->model.listeners.size());
  for (const config::Listener& config : next->model.listeners) next->listeners.emplace_back(config, next->model);
  return std::shared_ptr<const Snapshot>(std::move(next));
}

}  // namespace holdfast::proxy

#include "cli/registry.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "config/host_names.h"
#include "config/names.h"
#include "store/open.h"

namespace holdfast::cli {
namespace {

io::Task<> close(std::shared_ptr<upstream::EndpointKeeper> keeper) {
  keeper->stop();
  co_await keeper->idle(kNever);
}

}  // namespace

// Each store has files of its own: what another cluster knows must not be taken for ours.
std::filesystem::path snapshot_file(const config::Cluster& cluster, const std::string& of) {
  const std::uint64_t which = hash64(config::format_store_address(cluster.store), hash64(cluster.name));
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string name = of + '-';
  for (int shift = 60; shift >= 0; shift -= 4) name += kHex[(which >> shift) & 15];
  return std::filesystem::path(cluster.directory) / (name + ".snapshot");
}

void follow_store(Control& control, const config::Model& model) {
  const bool wanted = std::ranges::any_of(model.services, &config::Service::endpoints_found);
  const std::optional<config::Cluster> cluster = wanted ? model.cluster : std::nullopt;
  if (cluster == control.followed) return;
  if (control.endpoints != nullptr) control.tasks.add(close(std::exchange(control.endpoints, nullptr)));
  control.followed = cluster;
  if (!cluster) return;
  const auto open = [&loop = control.loop, cluster] {
    return store::open(loop, cluster->store, cluster->name, kPatienceWithLock);
  };
  control.endpoints = std::make_shared<upstream::EndpointKeeper>(
      control.loop, open, snapshot_file(*cluster, "endpoints"), &say, [&control] { control.change.notify(); });
}

io::Task<> wait_for_store(Ref<Control> control) {
  const std::shared_ptr<upstream::EndpointKeeper> keeper = control->endpoints;
  if (keeper == nullptr) co_return;
  const bool read = co_await keeper->read_once(control->loop.now() + kPatienceWithStore);
  if (!read) say("the store did not answer in time: starting with the endpoints that were known");
}

io::Task<> leave_store(Ref<Control> control) {
  const std::shared_ptr<upstream::EndpointKeeper> keeper = std::exchange(control->endpoints, nullptr);
  if (keeper == nullptr) co_return;
  keeper->stop();
  co_await keeper->idle(kNever);
}

config::Model with_endpoints(const Control& control, const config::Model& asked) {
  static const config::FoundEndpoints kNone;
  const config::FoundEndpoints& found = control.endpoints == nullptr ? kNone : control.endpoints->found();
  return config::with_addresses(config::with_found(asked, found), control.names.known());
}

}  // namespace holdfast::cli

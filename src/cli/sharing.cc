#include "cli/sharing.h"

#include <algorithm>
#include <unistd.h>

#include "cli/registry.h"
#include "store/open.h"

namespace holdfast::cli {
namespace {

// Several proxies may run on a machine, also while one takes over from another: each votes for itself. In containers
// that share a host's name they may even share the process number; hardly the microsecond too.
std::string node_name(const ProxyOptions& options) {
  std::string name = options.node;
  if (name.empty()) {
    char host[256] = "";
    if (::gethostname(host, sizeof host - 1) == 0) name = host;
  }
  constexpr std::int64_t kLives = 10'000;
  return name + '.' + std::to_string(::getpid()) + '-' + std::to_string(io::read_wall_clock_us() % kLives);
}

}  // namespace

void share_breakers(Control& control) {
  const bool any = std::ranges::any_of(control.asked.services, [](const config::Service& service) {
    return service.breaker && service.breaker->shared;
  });
  const std::optional<config::Cluster> cluster = any ? control.asked.cluster : std::nullopt;
  if (cluster == control.shared_in) return;
  guard::Keeper& breakers = *control.proxy.breakers();
  if (control.shared_in) breakers.unshare();
  control.shared_in = cluster;
  if (!cluster) return;
  guard::Sharing sharing;
  sharing.open = [&loop = control.loop, cluster] {
    return store::open(loop, cluster->store, cluster->name, kPatienceWithLock);
  };
  sharing.node = node_name(control.options);
  sharing.zone = control.options.zone;
  sharing.snapshot = snapshot_file(*cluster, "breakers");
  breakers.share(std::move(sharing));
}

}  // namespace holdfast::cli

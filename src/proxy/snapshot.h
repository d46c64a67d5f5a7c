// Snapshot: one generation of the configuration as the data plane uses it. Immutable; a reload builds the next one,
// with every unchanged service taken over as it is, and swaps the pointer on each loop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/model.h"
#include "http/limits.h"
#include "proxy/guards.h"
#include "proxy/router.h"
#include "upstream/service.h"

namespace holdfast::proxy {

struct Listener {
  Listener(const config::Listener& config_, const config::Model& model);

  const config::Listener& config;
  const Router router;
  const http::Limits head_limits;

  bool trusts(const io::SocketAddress& peer) const;
};

struct Snapshot : Pinned {
  Snapshot(config::Model model_, const Guards::FindCircuit& find_circuit);

  const config::Model model;
  const Guards guards;
  /// By service, as in the model: which one stands in for it; kNoService: none does.
  static constexpr std::uint32_t kNoService = ~std::uint32_t{0};
  std::vector<std::uint32_t> stand_ins;
  std::uint64_t generation = 0;
  std::vector<Listener> listeners;                           ///< as in the model
  std::vector<std::shared_ptr<upstream::Service>> services;  ///< as in the model

  /// The listener of that name; null when it is gone.
  const Listener* find_listener(const std::string& name) const;
};

/// Builds the next generation. Services that did not change are those of `previous` (may be null), so that balancers,
/// pools and counters live on; a changed one takes over the endpoints that stay.
/// Errors: as upstream::Service::make(); `previous` is untouched.
Result<std::shared_ptr<const Snapshot>> make_snapshot(config::Model model, const Snapshot* previous,
                                                      const Guards::FindCircuit& find_circuit);

}  // namespace holdfast::proxy

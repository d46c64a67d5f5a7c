// Front: a listener as one loop knows it, for as long as the loop lives. Its connections find here what they are served
// by: the newest snapshot that has the listener. So a connection that outlives its listener (a reload took it away) is
// still served as it was, until it has been told to go.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/counter.h"
#include "base/pinned.h"
#include "base/time.h"
#include "proxy/snapshot.h"
#include "upstream/local_service.h"

namespace holdfast::proxy {

/// The snapshot and this loop's side of its services. Requests hold it by a pointer that only this loop counts.
struct LocalSnapshot {
  std::shared_ptr<const Snapshot> shared;
  std::vector<std::shared_ptr<upstream::LocalService>> services;  ///< as in the model
};

struct Front : Pinned {
  explicit Front(std::string name_) : name(std::move(name_)) {}

  /// A reload took the listener away: answers from now on say `Connection: close`.
  bool leaving() const { return idle_until != kNever; }

  const std::string name;
  std::shared_ptr<const LocalSnapshot> snapshot;  ///< null when the listener is gone, and with it everyone it served
  const Listener* listener = nullptr;             ///< in `snapshot`
  Instant idle_until = kNever;                    ///< of a listener that is gone: when idle connections end

  // A listener that a reload takes away and another brings back counts on.
  Counter accepted;
  Counter open;
  Counter requests;
  Counter bad_requests;
  Counter local_answers;
  Counter slow_clients;         ///< heads, bodies and answers given up because the client was too slow
  Counter refused_connections;  ///< beyond connections_per_address
};

}  // namespace holdfast::proxy

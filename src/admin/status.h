// Status: the data plane at one moment, as plain numbers and words: what every page of the admin API is made from.
// Gathered in one pass over the workers (collect.h), rendered without them (views.h, metrics.h).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "admin/latency.h"
#include "guard/view.h"
#include "health/group.h"

namespace holdfast::admin {

/// What clients did, summed by worker or by listener.
struct ClientStatus {
  std::uint64_t accepted = 0;
  std::uint64_t open = 0;
  std::uint64_t requests = 0;
  std::uint64_t bad_requests = 0;
  std::uint64_t local_answers = 0;
  std::uint64_t slow_clients = 0;
  std::uint64_t refused_connections = 0;
};

struct WorkerStatus : ClientStatus {
  std::uint64_t waits_when_full = 0;
  std::uint64_t waits_for_memory = 0;
  std::uint64_t waits_for_files = 0;
  std::uint64_t refused_by_memory = 0;
  std::uint64_t refused_by_files = 0;
  std::uint64_t log_records_dropped = 0;
};

struct ListenerStatus : ClientStatus {
  std::string name;
  std::string protocol;
  std::vector<std::string> addresses;  ///< as bound: with the port the system chose for port 0
};

struct EndpointStatus {
  std::string address;
  unsigned weight = 1;
  std::string zone;
  bool backup = false;
  health::State state = health::State::healthy;
  std::string why;    ///< of the last change of state; empty: there was none
  std::string since;  ///< when that was: RFC 3339; empty: nobody knows
  std::uint32_t in_flight = 0;
  std::uint64_t requests = 0;
  std::uint64_t failures = 0;
  std::uint64_t connects = 0;
  std::uint64_t connect_failures = 0;
};

/// Answers that were not the service's own.
struct FallbackStatus {
  std::uint64_t stale = 0;
  std::uint64_t by_service = 0;
  std::uint64_t from_file = 0;
  std::uint64_t refused = 0;  ///< beyond fallback.concurrency
};

struct ServiceStatus {
  std::string name;
  std::string balance;
  std::uint32_t queued = 0;
  std::uint64_t requests = 0;
  std::uint64_t retries = 0;
  std::uint64_t queue_full = 0;
  std::uint64_t queue_timeouts = 0;
  std::array<std::uint64_t, 6> answers{};  ///< by status class; 0: no answer
  LatencyBuckets latency;
  FallbackStatus fallbacks;
  std::vector<EndpointStatus> endpoints;
};

/// What is for the caller to say, not for the data plane.
struct Standing {
  bool draining = false;
  std::optional<bool> store_in_touch{};  ///< none: no service takes its endpoints from a store
};

struct Status {
  Standing standing;
  std::uint64_t generation = 0;  ///< of the configuration
  std::uint64_t memory = 0;      ///< of all buffers, lent or kept
  std::uint64_t memory_max = 0;
  std::vector<ListenerStatus> listeners;
  std::vector<ServiceStatus> services;
  std::vector<guard::View> breakers;
  std::vector<WorkerStatus> workers;
};

}  // namespace holdfast::admin

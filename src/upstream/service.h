// Service: a named set of endpoints with one configuration, as all loops share it. Immutable but for two things: the
// shares that the health keeper publishes, and the number of requests that wait in queues.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/cache_line.h"
#include "base/pinned.h"
#include "base/result.h"
#include "config/model.h"
#include "upstream/endpoint.h"

namespace holdfast::io {
class Loop;
}

namespace holdfast::upstream {

class LocalService;

class Service : Pinned {
 public:
  /// Use make().
  Service(config::Service config, std::vector<std::shared_ptr<Endpoint>> endpoints);

  /// Endpoints of `predecessor` (may be null) at the same address are taken over with their load and their latency.
  /// Errors: Code::invalid when an address cannot be used.
  static Result<std::shared_ptr<Service>> make(const config::Service& config, const Service* predecessor);

  /// Sets the limits on endpoints that a service of before may still use: once nothing can refuse the configuration.
  void take_effect();

  const config::Service& config() const { return config_; }
  const std::string& name() const { return config_.name; }
  std::span<const std::shared_ptr<Endpoint>> endpoints() const { return endpoints_; }

  /// Health keeper only: how much of its weight each endpoint takes part with (balance::kWholeShare: all of it).
  void publish_shares(std::span<const std::uint16_t> shares);
  /// Changes with every publish_shares().
  std::uint64_t shares_version() const { return shares_version_.load(std::memory_order_acquire); }
  void read_shares(std::vector<std::uint16_t>& into) const;

  // The queue in front of busy endpoints: waiters sit on their loops, their number is common.

  /// Takes a place; false when `limits.queue` are taken.
  bool enter_queue();
  void leave_queue() { queued_.fetch_sub(1, std::memory_order_relaxed); }
  std::uint32_t queued() const { return queued_.load(std::memory_order_relaxed); }

  /// Loops that serve this service, so that a place which becomes free on one wakes a waiter on another.
  void attach(io::Loop& loop, const std::shared_ptr<LocalService>& local);
  void wake_elsewhere(const LocalService* except);

 private:
  struct Branch {
    io::Loop* loop;
    const LocalService* id;  ///< to compare with; only its own loop may touch it
    std::weak_ptr<LocalService> local;
  };

  const config::Service config_;
  const std::vector<std::shared_ptr<Endpoint>> endpoints_;
  const std::unique_ptr<std::atomic<std::uint16_t>[]> shares_;
  std::atomic<std::uint64_t> shares_version_ = 1;
  alignas(kCacheLine) std::atomic<std::uint32_t> queued_ = 0;

  std::mutex branches_mutex_;  // taken when a loop takes the service up, and when endpoints are full
  std::vector<Branch> branches_;
};

}  // namespace holdfast::upstream

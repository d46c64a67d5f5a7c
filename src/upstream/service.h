// Service: a named set of endpoints with one configuration, as all loops share it. Immutable but for the shares that
// the health keeper publishes. The queue in front of it is shared with the service that a reload makes of it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/pinned.h"
#include "base/result.h"
#include "config/model.h"
#include "upstream/endpoint.h"
#include "upstream/queue.h"
#include "upstream/stale_answers.h"

namespace holdfast::upstream {

/// Of a fallback's file: it goes out in one piece.
inline constexpr std::size_t kFallbackBytesMax = 64 * 1024;

class Service : Pinned {
 public:
  /// What every generation of one service has in common.
  struct Lasting {
    std::shared_ptr<Queue> queue;
    std::shared_ptr<StaleAnswers> stale_answers;
  };
  /// Use make().
  Service(config::Service config, std::vector<std::shared_ptr<Endpoint>> endpoints, Lasting lasting,
          std::string fallback_body);

  /// Endpoints of `predecessor` (may be null) at the same address are taken over with their load and their latency, and
  /// the queue with those who wait in it. Reads the file of the fallback, if it has one.
  /// Errors: Code::invalid when an address cannot be used; that file is missing or larger than kFallbackBytesMax.
  static Result<std::shared_ptr<Service>> make(const config::Service& config, const Service* predecessor);

  /// Sets the limits on endpoints and queue that a service of before may still use: once nothing can refuse the
  /// configuration. Who waits looks whether there is more room now.
  void take_effect();

  const config::Service& config() const { return config_; }
  const std::string& name() const { return config_.name; }
  std::span<const std::shared_ptr<Endpoint>> endpoints() const { return endpoints_; }
  /// Where that very endpoint stands here; none when it does not.
  std::optional<std::uint32_t> index_of(const Endpoint& endpoint) const;

  /// Health keeper only: how much of its weight each endpoint takes part with (balance::kWholeShare: all of it). Who
  /// waits looks again if somebody takes part who did not before, or nobody does any more.
  void publish_shares(std::span<const std::uint16_t> shares);
  /// Changes with every publish_shares().
  std::uint64_t shares_version() const { return shares_version_.load(std::memory_order_acquire); }
  void read_shares(std::vector<std::uint16_t>& into) const;
  /// Requests may go to that endpoint.
  bool takes_part(std::uint32_t index) const { return shares_[index].load(std::memory_order_relaxed) != 0; }

  /// The queue in front of busy endpoints.
  Queue& queue() const { return *lasting_.queue; }
  StaleAnswers& stale_answers() const { return *lasting_.stale_answers; }
  /// Of the answer that stands in the file.
  const std::string& fallback_body() const { return fallback_body_; }

 private:
  const config::Service config_;
  const std::vector<std::shared_ptr<Endpoint>> endpoints_;
  const std::unique_ptr<std::atomic<std::uint16_t>[]> shares_;
  std::atomic<std::uint64_t> shares_version_ = 1;
  const Lasting lasting_;
  const std::string fallback_body_;
  std::unordered_map<std::uint64_t, std::uint32_t> by_identity_;
};

}  // namespace holdfast::upstream

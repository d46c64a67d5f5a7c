// HealthKeeper: watches the endpoints of every service from the control thread and publishes who takes part.
//
// The thin shell around health::Group: it waits, asks (TCP or HTTP), hears what the workers report, and carries out the
// group's conclusions. Workers call the report functions; everything else runs on the control loop.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/pinned.h"
#include "base/prng.h"
#include "health/group.h"
#include "io/loop.h"
#include "io/scope.h"
#include "io/stop.h"
#include "upstream/probe.h"
#include "upstream/service.h"

namespace holdfast::upstream {

class HealthKeeper : Pinned {
 public:
  /// `tell` hears of every change of state, for the log.
  using Tell = std::function<void(const Service&, std::uint32_t endpoint, health::State, const std::string& why)>;

  HealthKeeper(io::Loop& loop, Tell tell);
  ~HealthKeeper();

  /// From now on these services are watched. Those that are watched already go on undisturbed.
  void watch(std::span<const std::shared_ptr<Service>> services);
  /// Ends all watching; await idle() before the keeper goes.
  void stop();
  io::Task<bool> idle(Deadline deadline) { return tasks_.join(deadline); }

  /// Any thread. Cheap to call often: what is known already is not sent again.
  void report_connect_failure(const std::shared_ptr<Service>& service, std::uint32_t endpoint);
  void report_failures(const std::shared_ptr<Service>& service, std::uint32_t endpoint, std::uint32_t in_a_row);

  /// What is known of the endpoints of a service, in their order; empty when it is not watched. On the control loop,
  /// until it goes on.
  std::span<const health::Member> view(const Service& service) const;

 private:
  struct Watch;

  std::shared_ptr<Watch> find(const Service& service) const;
  void publish(const std::shared_ptr<Watch>& watch, bool changed);
  void begin_keeping_time(const std::shared_ptr<Watch>& watch);
  io::Task<> check_endpoint(std::shared_ptr<Watch> watch, std::uint32_t index);
  io::Task<> recover_endpoint(std::shared_ptr<Watch> watch, std::uint32_t index, Instant first);
  io::Task<ProbeResult> probe(std::shared_ptr<Watch> watch, std::uint32_t index);
  io::Task<> keep_time(std::shared_ptr<Watch> watch);
  /// Asks an ejected endpoint whether it listens, from `first` on.
  void start_recovery(const std::shared_ptr<Watch>& watch, std::uint32_t index, Instant first);
  Instant soon();

  io::Loop& loop_;
  Tell tell_;
  Prng prng_;
  std::unordered_map<const Service*, std::shared_ptr<Watch>> watches_;
  std::size_t checks_running_ = 0;
  io::Scope tasks_;
};

}  // namespace holdfast::upstream

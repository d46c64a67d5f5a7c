// NameKeeper: follows the host names that a configuration's endpoints use, and says when their addresses changed.
//
// What is known of a name stays until a better answer comes: a name server that is gone, or that suddenly knows
// nothing, takes no endpoint away (that is what health checks are for). Control loop only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/pinned.h"
#include "base/prng.h"
#include "config/host_names.h"
#include "io/resolver.h"
#include "io/scope.h"
#include "io/signal.h"
#include "io/stop.h"

namespace holdfast::upstream {

/// When a name is asked for again: when its answer ends, but neither at every moment nor only tomorrow.
inline constexpr Duration kShortestTtl = 1s;
inline constexpr Duration kLongestTtl = 60s;
/// After `failures` in a row: 1 s, 2 s, 4 s, … 15 s at most, with up to a quarter of it added by chance.
Duration pause_after_failure(unsigned failures, Prng& prng);
Duration pause_after_answer(Duration ttl);

class NameKeeper : Pinned {
 public:
  /// `say` hears, for the log, of addresses that changed and names that cannot be resolved (once, until they can).
  using Say = std::function<void(const std::string& line)>;
  /// Called when known() has changed.
  using Changed = std::function<void()>;

  NameKeeper(io::Loop& loop, io::NameServers servers, Say say, Changed changed);
  ~NameKeeper();

  /// From now on these names are followed, and no others, which are forgotten. Those that are followed already go on
  /// undisturbed. A name may stand there twice.
  void follow(const std::vector<std::string>& names);
  /// Waits until every name has been answered or refused once.
  /// Returns false when the deadline passed first: some are still unknown.
  io::Task<bool> asked_once(Deadline deadline);

  const config::AddressesByName& known() const { return known_; }

  /// Ends all asking; await idle() before the keeper goes.
  void stop();
  io::Task<bool> idle(Deadline deadline) { return tasks_.join(deadline); }

 private:
  struct Watch;

  io::Task<> keep(std::shared_ptr<Watch> watch);
  void learn(Watch& watch, const io::Resolved& answer);
  void say_failure(Watch& watch, const Error& error);

  io::Loop& loop_;
  const io::NameServers servers_;
  const Say say_;
  const Changed changed_;
  Prng prng_;
  std::map<std::string, std::shared_ptr<Watch>, std::less<>> watches_;
  config::AddressesByName known_;
  std::size_t unasked_ = 0;
  io::Signal all_asked_;
  io::Scope tasks_;
};

}  // namespace holdfast::upstream

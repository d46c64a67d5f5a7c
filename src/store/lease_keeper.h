// LeaseKeeper: holds a lease for as long as its owner lives: grants it, keeps it alive every third of its time, and
// when it was lost gets another. What hangs on it is put by the owner, each time that it is told of a lease.
//
// Who acts because the lease is his asks holds(), which needs no answer of anybody: its time counts from before the
// request that proved it, and ends a margin early. Control loop only.
#pragma once

#include <functional>

#include "base/pinned.h"
#include "base/prng.h"
#include "io/loop.h"
#include "io/scope.h"
#include "io/signal.h"
#include "io/stop.h"
#include "store/store.h"

namespace holdfast::store {

/// How long before its end a lease is no longer relied upon.
Duration lease_margin(Duration ttl);

class LeaseKeeper : Pinned {
 public:
  struct Hooks {
    /// There is a lease, a new one or one that was thought lost: everything that hangs on it is to be put.
    std::function<void()> held;
    /// It can no longer be relied upon.
    std::function<void()> lost;
  };

  /// Requires: `store` is closed only after idle().
  LeaseKeeper(io::Loop& loop, Store& store, Duration ttl, Hooks hooks, std::uint64_t seed);
  ~LeaseKeeper();

  /// The lease; 0 if none can be relied upon.
  LeaseId id() const { return holds() ? term_.id : 0; }
  bool holds() const { return is_told_ && loop_.boot_now() < safe_until(); }
  /// Asks at once whether it is still there: somebody was told that it is gone.
  void look_now();

  /// Gives the lease back, if the store answers soon, and ends; await idle() before the keeper goes.
  void stop();
  io::Task<bool> idle(Deadline deadline) { return tasks_.join(deadline); }

 private:
  io::Task<> keep();
  io::Task<> get();
  io::Task<bool> prolong();
  void believe(const LeaseTerm& term);
  void give_up();
  BootInstant safe_until() const { return term_.ends() - lease_margin(term_.ttl); }

  io::Loop& loop_;
  Store& store_;
  const Duration ttl_;
  const Hooks hooks_;
  Prng prng_;
  LeaseTerm term_;         ///< id 0: there is none to ask for
  bool is_told_ = false;   ///< hooks_.held() was called, and hooks_.lost() not since
  unsigned failures_ = 0;  ///< in a row
  io::Stop stop_;
  io::Signal look_;
  io::Scope tasks_;
};

}  // namespace holdfast::store

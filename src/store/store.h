// Store: the small database in which all roles meet. They read a prefix, watch it from there, and write in fenced
// transactions; nothing else. Which engine is behind it (store/sqlite.h, store/etcd.h, store/simulated.h) shows
// nowhere.
//
// What holds for each of them, and what the conformance suite (store/conformance.h) asks of each:
// - Transactions are linearizable; a read without a revision sees everything that was committed before it began.
// - A watch delivers whole transactions, in order, each once, without a gap from the revision it starts at, until it
//   says Code::stale: then its owner reads again and watches from there (store/mirror.h does).
// - A lease lives at least as long as `LeaseTerm` says, and its records go together, when it has ended or is revoked.
// - Every call ends at its deadline, whatever the engine does. Nothing waits for it in the way of a request.
//
// A failed call has Side::store, or Side::local for what was asked wrongly. Codes: timed_out, refused, closed (the
// engine cannot be reached or does not answer), overloaded (it is full), corrupt (its data are damaged), denied,
// invalid (what was asked can never be), stale, missing. A commit that fails has surely written nothing; where that is
// not sure, it does not fail, its outcome is unknown.
#pragma once

#include <memory>
#include <string>

#include "base/pinned.h"
#include "base/result.h"
#include "base/time.h"
#include "io/task.h"
#include "store/record.h"
#include "store/transaction.h"

namespace holdfast::store {

/// A lease as its holder may count on it.
struct LeaseTerm {
  LeaseId id = 0;
  Duration ttl{};       ///< may be longer than asked for
  BootInstant since{};  ///< read before the request was sent that proved it

  /// Until then nobody else can hold what this lease protects. An exclusive holder stops a margin earlier.
  BootInstant ends() const { return since + ttl; }
};

inline constexpr Duration kShortestLease = 1s;
inline constexpr Duration kLongestLease = 1h;

/// While the store can be reached a watch has something to say at least this often, be it that nothing happened: who
/// has heard nothing for kSilenceMax is cut off from it.
inline constexpr Duration kPulse = 2s;
inline constexpr Duration kSilenceMax = 5s;

class Watch : public Pinned {
 public:
  virtual ~Watch() = default;

  /// Waits for what happens next. One waiter at a time.
  /// Errors: Code::timed_out: nothing came, go on; Code::stale: the watch has ended, history it needs is gone or its
  /// order broke; Code::stopped: close() was called.
  virtual io::Task<Result<Batch>> next(Deadline deadline) = 0;

  /// Ends the wait, and every later one. Before a watch is destroyed nobody may wait in it.
  virtual void close() = 0;
};

/// For people: how the store is.
struct StoreStatus {
  std::string engine;  ///< "sqlite 3.40.1", "etcd 3.4.23"
  std::uint64_t world = 0;
  Revision revision = 0;
  Revision compacted = 0;  ///< what was before this is gone; 0 when unknown
  std::uint64_t bytes = 0;
  std::vector<std::string> members;  ///< one line each, where there are several
};

class Store : public Pinned {
 public:
  virtual ~Store() = default;

  /// What stands under `prefix` now, or at the revision `at`.
  /// Errors: Code::stale: that revision has been compacted; Code::invalid: it is not there yet.
  virtual io::Task<Result<View>> read(std::string prefix, Revision at, Deadline deadline) = 0;
  io::Task<Result<View>> read(std::string prefix, Deadline deadline) { return read(std::move(prefix), 0, deadline); }

  /// Errors: Code::invalid, Code::missing: a put names a lease that is gone; see above.
  virtual io::Task<Result<Outcome>> commit(Transaction transaction, Deadline deadline) = 0;

  /// Everything under `prefix` from the revision `from` on, `from` included. Reconnects by itself.
  virtual std::unique_ptr<Watch> watch(std::string prefix, Revision from) = 0;

  /// Errors: Code::invalid: not between kShortestLease and kLongestLease.
  virtual io::Task<Result<LeaseTerm>> grant(Duration ttl, Deadline deadline) = 0;
  /// Errors: Code::missing: the lease has ended, its records are gone or going. Any other: nothing is known.
  virtual io::Task<Result<LeaseTerm>> keep_alive(LeaseId lease, Deadline deadline) = 0;
  /// Ends a lease and its records now. One that is gone already is no error.
  virtual io::Task<Result<>> revoke(LeaseId lease, Deadline deadline) = 0;

  /// Forgets what was before `revision`: later reads at, and watches from, earlier ones are stale.
  virtual io::Task<Result<>> compact(Revision revision, Deadline deadline) = 0;
  virtual io::Task<Result<StoreStatus>> status(Deadline deadline) = 0;

  /// Ends everything that waits (Code::stopped). Called once, and awaited before the store is destroyed; watches may
  /// outlive it.
  virtual io::Task<> close() = 0;
};

}  // namespace holdfast::store

// Keyspace: what a store means, in memory and without an engine: records in all their versions, transactions, leases,
// history. It waits for nothing and fails only where store.h says so. The simulated store is built on it, and the
// checker of histories asks it what would have been right.
//
// It follows etcd: revisions count from 1; what changes nothing (erasing what is not there) makes no revision; putting
// the same value again is a change; the end of a lease is one revision, if the lease had records.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/record.h"
#include "store/transaction.h"

namespace holdfast::store {

/// By key.
using Records = std::map<std::string, Record, std::less<>>;

/// Whether all compares hold.
bool hold_in(const Records& records, const std::vector<Compare>& compares);
/// What stands under the keys that are compared, by key, each once.
std::vector<Record> found_in(const Records& records, const std::vector<Compare>& compares);
/// What `writes` do to `records` if they are done at `revision`: by key; empty when they change nothing.
std::vector<Event> effect_on(const Records& records, const std::vector<Write>& writes, Revision revision);
/// The end of a lease as events: its records, by key.
std::vector<Event> end_of_lease(const Records& records, LeaseId lease, Revision revision);
/// Carries events out.
void play(Records& records, const std::vector<Event>& events);

class Keyspace {
 public:
  explicit Keyspace(std::uint64_t world) : world_(world) {}
  /// A copy of `old` as it was at `revision`, restored: another world, in which no lease lives.
  /// Requires: `revision` is neither compacted nor still to come.
  Keyspace(std::uint64_t world, const Keyspace& old, Revision revision);

  /// Committed or refused.
  /// Errors: Code::missing: the compares hold, and a put names a lease that is gone; nothing was written.
  Result<Outcome> apply(const Transaction& transaction);
  /// Errors: Code::stale: compacted; Code::invalid: not there yet.
  Result<View> read(const std::string& prefix, Revision at) const;
  /// What happened under `prefix` from the revision `from` on, a batch for each transaction.
  /// Errors: Code::stale: compacted.
  Result<std::vector<Batch>> since(const std::string& prefix, Revision from) const;

  void grant(LeaseId lease) { leases_.insert(lease); }
  bool lives(LeaseId lease) const { return leases_.contains(lease); }
  /// Ends a lease with its records; one that is gone already is no error.
  void expire(LeaseId lease);

  /// Forgets what was before `revision`.
  /// Errors: Code::invalid: not there yet.
  Result<> compact(Revision revision);

  std::uint64_t world() const { return world_; }
  Revision revision() const { return revision_; }
  Revision compacted() const { return compacted_; }
  const std::set<LeaseId>& leases() const { return leases_; }
  /// What stands now.
  const Records& records() const { return records_; }

 private:
  void commit(std::vector<Event> events);
  Records records_at(Revision revision) const;

  std::uint64_t world_;
  Revision revision_ = 1;
  Revision compacted_ = 0;
  Records records_;                                                                         ///< now
  std::map<std::string, std::map<Revision, std::optional<Record>>, std::less<>> versions_;  ///< none: erased
  std::map<Revision, std::vector<Event>> log_;
  std::set<LeaseId> leases_;
};

}  // namespace holdfast::store

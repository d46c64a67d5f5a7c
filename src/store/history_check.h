// The checker of histories: says why what the clients saw could not have come from a store as store.h promises it, or
// nothing if it could.
//
// The log (what the witness saw) is replayed; then everything else is held against it: each revision must be the doing
// of exactly one transaction or of the end of a lease; answers must fit the state at their revision; revisions must
// follow real time: what begins after something was answered (or delivered) happens at its revision or later.
// What ended as unknown may have been done once, at any later point, or never.
// Source: Wing and Gong 1993, "Testing and proving correctness of concurrent objects"; that a store names the revision
// of each answer makes the search of theirs a replay.
#pragma once

#include <string>
#include <vector>

#include "store/history.h"

namespace holdfast::store {

/// What the world did that no client can make good, and the roles must bear.
struct Allowances {
  /// etcd before 3.4.31 may end leases that were kept alive, when a stalled leader comes back (etcd#15247).
  bool false_revoke = false;
};

/// What is wrong, a line each, at most kFindingsMax; empty if nothing is.
std::vector<std::string> judge(const History& history, Allowances allowed = {});

inline constexpr std::size_t kFindingsMax = 20;

}  // namespace holdfast::store

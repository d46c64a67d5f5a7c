// What can go wrong in the world of the simulated store: what etcd 3.4 and the way to it are known to do, each with
// its chance. And, apart from these, how a store may be broken: what no engine may do, to see that it is caught.
// Source: etcd's robustness tests and their table of bugs; Jepsen 2020, "etcd 3.4.3".
#pragma once

#include <cstddef>
#include <string_view>

#include "base/prng.h"
#include "base/time.h"

namespace holdfast::store {

/// Chances from 0 (never, as built) to 1.
struct Faults {
  // Of each request.
  double slow = 0;          ///< takes up to 3 s, there or back
  double refused = 0;       ///< nobody listens
  double request_lost = 0;  ///< is never heard of again
  double answer_lost = 0;   ///< is done, and nobody is told
  double reset = 0;         ///< the connection breaks; the request may arrive yet
  double late = 0;          ///< arrives after its deadline

  // Of each message of a watch.
  double watch_slow = 0;
  double watch_stalled = 0;    ///< from now on nothing comes, without a word
  double watch_cancelled = 0;  ///< as when history was compacted
  double watch_gap = 0;        ///< the message is lost, the next are not
  double watch_repeated = 0;   ///< comes twice, or once more later

  // Of each half second of the cluster.
  double leader_lost = 0;     ///< no leader for up to 8 s; then leases begin anew, and longer
  double deposed_leader = 0;  ///< of a keep-alive about then: answered by one who leads no longer
  double full = 0;            ///< nothing can be put for some seconds
  double false_revoke = 0;    ///< all leases end at once (etcd#15247)
  double late_revoke = 0;     ///< the end of a lease is noticed a round later
};

/// How a store may be broken, one at a time.
enum class Breakage : unsigned char {
  none,
  stale_read,
  lost_write,  ///< acknowledged, not done
  done_twice,  ///< a request that is sent again by itself
  ignored_compare,
  refused_but_done,
  failed_but_done,  ///< an error that says surely nothing was written
  wrong_found,
  half_done,  ///< of several writes only the first
  lost_event,
  repeated_event,
  split_transaction,  ///< over two batches
  unordered_events,
  early_lease_end,
  partial_lease_end,
  wrong_revision,
};
inline constexpr std::size_t kBreakages = 16;
std::string_view to_string(Breakage breakage);

/// The faults of a seed: a half of the kinds, so that the rare are not drowned by the frequent.
Faults some_faults(Prng& prng);

/// How often what is worth testing came to pass.
struct Happened {
  unsigned commits = 0;
  unsigned done_unknown = 0;       ///< was done, and its client was told "unknown"
  unsigned done_after_answer = 0;  ///< and that only afterwards
  unsigned unknown_so_far = 0;     ///< was not done when its client was told "unknown"
  unsigned leader_changes = 0;
  unsigned timed_out_leaderless = 0;
  unsigned deposed_answers = 0;
  unsigned lease_ends = 0;
  unsigned false_revokes = 0;
  unsigned overloaded = 0;
  unsigned watches_stale = 0;
  unsigned gaps_masked = 0;
  unsigned repeats_masked = 0;
  unsigned restores = 0;
};

}  // namespace holdfast::store

#include "store/simulated_faults.h"

namespace holdfast::store {

std::string_view to_string(Breakage breakage) {
  switch (breakage) {
    case Breakage::none: return "none";
    case Breakage::stale_read: return "stale_read";
    case Breakage::lost_write: return "lost_write";
    case Breakage::done_twice: return "done_twice";
    case Breakage::ignored_compare: return "ignored_compare";
    case Breakage::refused_but_done: return "refused_but_done";
    case Breakage::failed_but_done: return "failed_but_done";
    case Breakage::wrong_found: return "wrong_found";
    case Breakage::half_done: return "half_done";
    case Breakage::lost_event: return "lost_event";
    case Breakage::repeated_event: return "repeated_event";
    case Breakage::split_transaction: return "split_transaction";
    case Breakage::unordered_events: return "unordered_events";
    case Breakage::early_lease_end: return "early_lease_end";
    case Breakage::partial_lease_end: return "partial_lease_end";
    case Breakage::wrong_revision: return "wrong_revision";
  }
  return {};
}

Faults some_faults(Prng& prng) {
  const auto maybe = [&prng](double chance) { return prng.below(2) == 0 ? 0 : chance * prng.uniform(); };
  Faults faults;
  faults.slow = maybe(0.1);
  faults.refused = maybe(0.1);
  faults.request_lost = maybe(0.1);
  faults.answer_lost = maybe(0.1);
  faults.reset = maybe(0.1);
  faults.late = maybe(0.1);
  faults.watch_slow = maybe(0.3);
  faults.watch_stalled = maybe(0.02);
  faults.watch_cancelled = maybe(0.02);
  faults.watch_gap = maybe(0.02);
  faults.watch_repeated = maybe(0.2);
  faults.leader_lost = maybe(0.1);
  faults.deposed_leader = maybe(1);
  faults.full = maybe(0.05);
  faults.false_revoke = maybe(0.02);
  faults.late_revoke = maybe(0.5);
  return faults;
}

}  // namespace holdfast::store

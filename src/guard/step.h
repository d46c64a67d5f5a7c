// Steps that all share, as transactions. Each rests on what it was decided from: on the state as it was read (nobody
// else took a step meanwhile), on the token of the probe where it speaks of probes (nobody else probes by now), on the
// operator's word where it ends one. It tells what happened in the same breath, by an event.
//
// So of two who would take the same step one does; a prober whose lease has ended, and who does not know it yet, is
// refused. Source: research on shared breakers, section 4.5 (docs/decisions/0007).
#pragma once

#include <cstdint>
#include <string>

#include "base/prng.h"
#include "breaker/edge.h"
#include "guard/board.h"
#include "journal/event.h"
#include "store/transaction.h"

namespace holdfast::guard {

/// Who takes a step, and when.
struct Author {
  std::string node{};
  Clocks clocks{};
};

/// `lease` is of take_probe: the record of the power to probe goes with it.
/// Requires: `proposal` was decided from what `posted` says.
store::Transaction make_step(const std::string& name, const breaker::Proposal& proposal, const Posted& posted,
                             const Author& author, store::LeaseId lease, Prng& prng);

/// An operator's word.
store::Transaction make_force(const std::string& name, const OverrideView& override, store::Revision modified,
                              Prng& prng);
/// Its end. What was forced open is open from then on, and may be probed: it does not simply flow again. One that is
/// not shared has nothing there to be open.
store::Transaction make_release(const std::string& name, bool is_shared, const std::string& actor,
                                const std::string& reason, const Posted& posted, const Author& author, Prng& prng);

/// What an event calls it: "opened".
std::string_view word_of(breaker::Proposal::Kind kind);

}  // namespace holdfast::guard

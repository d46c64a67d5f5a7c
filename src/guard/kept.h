// Kept: one breaker of this process, with all that the keeper must remember of it between two looks.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/pinned.h"
#include "breaker/circuit.h"
#include "breaker/edge.h"
#include "guard/view.h"
#include "store/store.h"

namespace holdfast::guard {

/// The power to probe, as far as we have it: it ends with its lease.
struct Hold {
  store::LeaseTerm term{};
  bool is_pending = true;  ///< the step that takes it has no answer yet
};

/// What others were told last.
struct Published {
  breaker::Vote vote{};
  Instant at{};
};

struct Kept : Pinned {
  Kept(const std::string& name, unsigned loops, Instant now, std::uint64_t seed)
      : circuit(std::make_shared<breaker::Circuit>(name, loops)), edge(name, settings, now, seed) {}

  const std::string& name() const { return circuit->name(); }

  breaker::Settings from_file{.mode = breaker::Mode::off};
  breaker::Settings settings = from_file;  ///< with what the store says otherwise
  bool is_wanted = false;                  ///< by the file
  bool is_new = true;                      ///< it never was
  const std::shared_ptr<breaker::Circuit> circuit;
  breaker::Edge edge;

  breaker::Tally counted{};    ///< of the circuit, up to the last look
  breaker::Probes probes{};    ///< likewise
  breaker::Window recent{2s};  ///< for suspecting ourselves
  breaker::Plan plan{};
  bool is_unreachable = false;  ///< what fails does so on the way
  bool must_look = true;        ///< something came in

  std::optional<OverrideView> local_override{};  ///< without a store
  bool is_inherited = false;                     ///< it stood in a store that is not asked any more
  std::optional<OverrideView> shared_override{};
  std::int64_t since_us = 0;  ///< wall clock: of what shows
  View shown{};               ///< as of the last version(); without counts
  std::uint64_t total = 0;    ///< trips that this process saw happen; View::total

  // With a store.
  std::optional<store::Revision> state_modified{};  ///< of what the edge was told; none: nothing yet
  std::uint64_t shared_total = 0;                   ///< trips, likewise
  bool is_committing = false;
  store::Revision await = 0;  ///< our copy must have come so far before we propose again
  Instant await_until{};      ///< or so much time must have passed
  std::optional<Hold> hold{};
  std::optional<Published> published{};

  const std::optional<OverrideView>& override() const { return shared_override ? shared_override : local_override; }
};

}  // namespace holdfast::guard

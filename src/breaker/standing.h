// Standing: where a breaker stands, and the steps from one state to the next. Each step is a new epoch: what was
// measured or decided under an older one no longer counts.
//
//   closed ──trip──▶ open ──open_for passed──▶ half_open ──probes went well──▶ ramp ──▶ closed
//                     ▲──────────a probe failed───┘                             │
//                     └───────────────────────trip──────────────────────────────┘
//
// The same for a breaker of one proxy and for the one that all share.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/prng.h"
#include "base/time.h"
#include "breaker/settings.h"

namespace holdfast::breaker {

enum class State : std::uint8_t {
  closed,     ///< calls flow
  open,       ///< calls are refused
  half_open,  ///< a few calls are let through to see
  ramp,       ///< more and more calls are let through
};

std::string_view to_string(State state);

/// Trips out of a flow of calls (closed or ramp) that are remembered, to tell flapping.
inline constexpr std::size_t kFlapsMax = 3;
/// So many trips within so long a time: it flaps, and is held open.
inline constexpr Duration kFlapMemory = 5min;

struct Standing {
  State state = State::closed;
  std::uint64_t epoch = 0;
  Instant since{};                         ///< when this state began, by our clock
  Duration open_for{};                     ///< of open: how long from `since` until it may be probed
  Duration down{};                         ///< how long it was known to be down when this state began
  unsigned trips = 0;                      ///< out of a flow of calls (closed or ramp), in a row
  std::uint64_t total = 0;                 ///< trips ever, failed probes too
  std::string reason{};                    ///< of the last step, for people
  std::array<Instant, kFlapsMax> flaps{};  ///< the newest trips out of a flow, newest first; Instant{}: none

  bool operator==(const Standing&) const = default;
};

/// It has tripped kFlapsMax times within kFlapMemory: probing must go well for longer than it flaps.
bool is_flapping(const Standing& standing, Instant now);

// The steps. `now` becomes `since`.

/// Opens: for open_for, twice as long for each trip out of a flow in a row (one is forgotten for each window that it
/// was closed), at most max_open_for, and up to a fifth more or less by chance. Flapping: max_open_for.
///
/// A probe that failed has cost the callee one call and nobody else anything: there is no need to stand back twice as
/// far each time, only not to ask for ever at the same pace. So from then on it is open for an eighth of the time that
/// it is known to have been down, if that is longer: where there are calls, an outage is noticed to be over within
/// about an eighth of its length.
Standing trip(const Settings& settings, const Standing& before, std::string reason, Instant now, Prng& prng);
/// Opens what was held open by force, or so it seems: nobody knows how it is, and it may be probed at once.
Standing open_to_be_probed(const Standing& before, std::string reason, Instant now);
/// Requires: open or half_open (the one before was lost).
Standing begin_probing(const Standing& before, std::string reason, Instant now);
/// Probing ended without a verdict: nobody called. It may be probed at once.
Standing give_up_probing(const Standing& before, std::string reason, Instant now);
Standing begin_ramp(const Standing& before, std::string reason, Instant now);
Standing close(const Standing& before, std::string reason, Instant now);

/// Whether open_for has passed.
bool may_probe(const Standing& standing, Instant now);
/// Of 1000 calls, how many may pass: closed 1000, open and half_open 0, ramp 50, 100, 250, 500, 750, each for a fifth
/// of `ramp`, then 1000.
unsigned allowed_permille(const Settings& settings, const Standing& standing, Instant now);
/// When the ramp lets through more. Requires: ramp.
Instant next_ramp_step(const Settings& settings, const Standing& standing, Instant now);
/// The ramp is over.
bool ramp_has_ended(const Settings& settings, const Standing& standing, Instant now);

/// How long one probe may take: a slow one has failed.
Duration probe_timeout(const Settings& settings);
/// Between two probes of a run: none, unless it flaps; then the run as a whole lasts two windows.
Duration probe_pause(const Settings& settings, bool flapping);
/// How long a prober may hold its power: what a run takes at most, and a second.
Duration probe_lease(const Settings& settings, bool flapping);

}  // namespace holdfast::breaker

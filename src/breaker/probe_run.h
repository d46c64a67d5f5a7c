// ProbeRun: a run of probes, one at a time, that shows whether a callee is well again. As many in a row as the settings
// ask for must go well; the first that fails ends it. It offers the next one when the last has ended well, and a pause
// has passed (of what flaps, so that the run lasts longer than a time of good behaviour between two bad ones).
#pragma once

#include <cstdint>
#include <string>

#include "base/time.h"
#include "breaker/settings.h"

namespace holdfast::breaker {

/// What became of the probes that were let through in this generation of the gate.
struct Probes {
  unsigned taken = 0;
  unsigned well = 0;
  unsigned failed = 0;
};

class ProbeRun {
 public:
  enum class Result : std::uint8_t { going, well, failed };
  struct Step {
    Result result = Result::going;
    unsigned offer = 0;    ///< so many more
    Instant look_again{};  ///< Instant::max() when only probes can change it
    std::string why{};     ///< of well and failed
  };

  /// Begins anew, with some good ones from an earlier run if that ended without a verdict.
  void begin(unsigned well_before, Instant now);
  /// All probes since the gate's generation, which is that of the run, began.
  void saw(const Probes& probes, Instant now);
  Step step(const Settings& settings, bool flapping, Instant now);

  /// Good ones in a row so far, of earlier runs too.
  unsigned well() const { return well_before_ + probes_.well; }
  unsigned failed() const { return probes_.failed; }
  /// A probe is offered, and nobody takes it.
  bool is_waiting() const { return offered_ > probes_.taken; }
  /// Requires: is_waiting().
  Instant waiting_since() const { return changed_at_; }

  std::string validate() const;

 private:
  unsigned in_flight() const { return probes_.taken - probes_.well - probes_.failed; }

  Probes probes_;
  unsigned well_before_ = 0;
  unsigned offered_ = 0;
  Instant changed_at_{};  ///< when the run began, or a probe was last offered, or seen to be taken or to end
};

}  // namespace holdfast::breaker

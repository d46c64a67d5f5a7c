#include "breaker/probe_run.h"

#include <algorithm>

#include "breaker/standing.h"

namespace holdfast::breaker {

void ProbeRun::begin(unsigned well_before, Instant now) {
  probes_ = Probes{};
  well_before_ = well_before;
  offered_ = 0;
  changed_at_ = now;
}

void ProbeRun::saw(const Probes& probes, Instant now) {
  // They are counted one by one while they are read: one may have ended that was not yet seen to be taken.
  const Probes seen{std::max(probes.taken, probes.well + probes.failed), probes.well, probes.failed};
  if (seen.taken != probes_.taken || seen.well != probes_.well || seen.failed != probes_.failed) changed_at_ = now;
  probes_ = seen;
}

ProbeRun::Step ProbeRun::step(const Settings& settings, bool flapping, Instant now) {
  const Duration timeout = probe_timeout(settings);
  if (probes_.failed > 0) return {Result::failed, 0, Instant::max(), "a probe failed"};
  if (in_flight() > 0) {
    // The gate hears of a probe that takes longer than slow_call. This one is for those that may take longer still.
    if (now - changed_at_ > timeout)
      return {Result::failed, 0, Instant::max(), "a probe took longer than " + in_words(timeout)};
    return {Result::going, 0, changed_at_ + timeout + 1ms, {}};
  }
  if (well() >= std::max(settings.probes, 1U)) {
    return {Result::well, 0, Instant::max(), std::to_string(well()) + " probes went well"};
  }
  if (offered_ > probes_.well) return {Result::going, 0, Instant::max(), {}};
  const Instant next = well() > 0 ? changed_at_ + probe_pause(settings, flapping) : now;
  if (now < next) return {Result::going, 0, next, {}};
  ++offered_;
  changed_at_ = now;
  return {Result::going, 1, Instant::max(), {}};
}

std::string ProbeRun::validate() const {
  if (probes_.well + probes_.failed > probes_.taken) return "a probe that ended was taken";
  if (probes_.taken > offered_) return "a probe that was taken was offered";
  return {};
}

}  // namespace holdfast::breaker

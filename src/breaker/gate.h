// Gate: whether a call may pass, as all loops ask it: one atomic load. The keeper on the control thread sets it; the
// generations of its settings are counted here, so that the outcome of a call is judged only by the state that let it
// pass.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/cache_line.h"
#include "base/pinned.h"
#include "base/prng.h"

namespace holdfast::breaker {

struct Admission {
  bool passed = true;
  bool probe = false;            ///< it is one of the few that show whether the callee is well again
  std::uint32_t generation = 0;  ///< belongs to the outcome
};

class Gate : Pinned {
 public:
  static constexpr unsigned kAll = 1000;
  static constexpr unsigned kProbesMax = 4095;

  /// Any loop. `may_probe`: this call may fail without harm (its method is safe).
  Admission admit(bool may_probe, Prng& prng) {
    const std::uint64_t now = word_.load(std::memory_order_acquire);
    const auto generation = static_cast<std::uint32_t>(now >> 32);
    const auto allowed = static_cast<unsigned>(now & 0xffff);
    if (allowed >= kAll) return {true, false, generation};
    return admit_some(allowed, generation, may_probe, prng);
  }
  std::uint32_t generation() const { return static_cast<std::uint32_t>(word_.load(std::memory_order_relaxed) >> 32); }
  unsigned allowed() const { return static_cast<unsigned>(word_.load(std::memory_order_relaxed) & 0xffff); }

  // Keeper only.

  /// A new generation: what was admitted before no longer counts, and probes not yet taken are withdrawn.
  void begin_generation(unsigned allowed_permille);
  /// The same generation goes on.
  void set_allowed(unsigned allowed_permille);
  /// So many more calls may pass as probes while none is allowed otherwise; kProbesMax of a generation at most.
  void offer_probes(unsigned count);
  /// For the rest of this generation a call that must not fail may be a probe too: there are no others.
  void let_any_probe();

  // What became of the probes of this generation; any loop reports.
  void probe_ended(std::uint32_t generation, bool well);
  /// It says nothing after all: somebody else may take its place.
  void probe_returned(std::uint32_t generation);
  unsigned probes_offered() const { return field(probes_.load(std::memory_order_acquire), kOffered); }
  unsigned probes_taken() const { return field(probes_.load(std::memory_order_acquire), kTaken); }
  unsigned probes_well() const { return field(probes_.load(std::memory_order_acquire), kWell); }
  unsigned probes_failed() const { return field(probes_.load(std::memory_order_acquire), kFailed); }

 private:
  // All that is known of probes lies in one word together with the generation it belongs to, so that whoever comes late
  // with a probe of an older one changes nothing: twelve bits for each count, fifteen of the generation, and one that
  // lets any call be a probe.
  static constexpr unsigned kOffered = 0;
  static constexpr unsigned kTaken = 12;
  static constexpr unsigned kWell = 24;
  static constexpr unsigned kFailed = 36;
  static constexpr unsigned kGeneration = 48;
  static constexpr unsigned kGenerationMask = 0x7fff;
  static constexpr std::uint64_t kAnyProbe = std::uint64_t{1} << 63;

  static unsigned field(std::uint64_t probes, unsigned shift) {
    return static_cast<unsigned>(probes >> shift) & kProbesMax;
  }
  static std::uint64_t one(unsigned shift) { return std::uint64_t{1} << shift; }
  static bool is_of(std::uint64_t probes, std::uint32_t generation) {
    return (static_cast<std::uint32_t>(probes >> kGeneration) & kGenerationMask) == (generation & kGenerationMask);
  }

  Admission admit_some(unsigned allowed, std::uint32_t generation, bool may_probe, Prng& prng);
  bool take_probe(std::uint32_t generation, bool may_probe);

  alignas(kCacheLine) std::atomic<std::uint64_t> word_ = kAll;  ///< generation << 32 | allowed
  alignas(kCacheLine) std::atomic<std::uint64_t> probes_ = 0;
};

}  // namespace holdfast::breaker

// Gate: whether a call may pass, as all loops ask it: one atomic load. The keeper on the control thread sets it; the
// epochs of its settings are counted here, so that the outcome of a call is judged only by the state that let it pass.
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
  /// So many more calls may pass as probes while none is allowed otherwise.
  void offer_probes(unsigned count);

  // What became of the probes of this generation; any loop reports.
  void probe_ended(std::uint32_t generation, bool well);
  /// It says nothing after all: somebody else may take its place.
  void probe_returned(std::uint32_t generation);
  unsigned probes_taken() const { return taken_.load(std::memory_order_acquire); }
  unsigned probes_well() const { return well_.load(std::memory_order_acquire); }
  unsigned probes_failed() const { return failed_.load(std::memory_order_acquire); }

 private:
  Admission admit_some(unsigned allowed, std::uint32_t generation, bool may_probe, Prng& prng);

  alignas(kCacheLine) std::atomic<std::uint64_t> word_ = kAll;  ///< generation << 32 | allowed
  alignas(kCacheLine) std::atomic<std::int32_t> offered_ = 0;
  std::atomic<std::uint32_t> taken_ = 0;
  std::atomic<std::uint32_t> well_ = 0;
  std::atomic<std::uint32_t> failed_ = 0;
};

}  // namespace holdfast::breaker

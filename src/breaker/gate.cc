#include "breaker/gate.h"

#include <algorithm>

#include "base/check.h"

namespace holdfast::breaker {

Admission Gate::admit_some(unsigned allowed, std::uint32_t generation, bool may_probe, Prng& prng) {
  if (allowed > 0) return {prng.below(kAll) < allowed, false, generation};
  const bool probe = take_probe(generation, may_probe);
  return {probe, probe, generation};
}

bool Gate::take_probe(std::uint32_t generation, bool may_probe) {
  std::uint64_t probes = probes_.load(std::memory_order_acquire);
  while (is_of(probes, generation) && field(probes, kOffered) > 0) {
    if (!may_probe && (probes & kAnyProbe) == 0) return false;
    const std::uint64_t taken = probes - one(kOffered) + one(kTaken);
    if (probes_.compare_exchange_weak(probes, taken, std::memory_order_acq_rel)) return true;
  }
  return false;
}

void Gate::begin_generation(unsigned allowed_permille) {
  check(allowed_permille <= kAll, "a gate lets through all at most");
  const std::uint64_t next = static_cast<std::uint32_t>(generation() + 1);
  // The probes first: until the other word follows, who asks belongs to the old generation and finds none to take.
  probes_.store((next & kGenerationMask) << kGeneration, std::memory_order_release);
  word_.store(next << 32 | allowed_permille, std::memory_order_release);
}

void Gate::set_allowed(unsigned allowed_permille) {
  check(allowed_permille <= kAll, "a gate lets through all at most");
  const std::uint64_t now = word_.load(std::memory_order_relaxed);
  word_.store((now >> 32) << 32 | allowed_permille, std::memory_order_release);
}

void Gate::offer_probes(unsigned count) {
  std::uint64_t probes = probes_.load(std::memory_order_acquire);
  while (true) {
    const unsigned known = field(probes, kOffered) + field(probes, kTaken);
    const std::uint64_t more = std::min(count, kProbesMax - known);
    if (probes_.compare_exchange_weak(probes, probes + more * one(kOffered), std::memory_order_acq_rel)) return;
  }
}

void Gate::let_any_probe() { probes_.fetch_or(kAnyProbe, std::memory_order_acq_rel); }

void Gate::probe_ended(std::uint32_t generation, bool well) {
  std::uint64_t probes = probes_.load(std::memory_order_acquire);
  while (is_of(probes, generation)) {
    check(field(probes, kWell) + field(probes, kFailed) < field(probes, kTaken), "a probe ends once");
    const std::uint64_t ended = probes + one(well ? kWell : kFailed);
    if (probes_.compare_exchange_weak(probes, ended, std::memory_order_acq_rel)) return;
  }
}

void Gate::probe_returned(std::uint32_t generation) {
  std::uint64_t probes = probes_.load(std::memory_order_acquire);
  while (is_of(probes, generation)) {
    check(field(probes, kWell) + field(probes, kFailed) < field(probes, kTaken), "a probe ends once");
    const std::uint64_t returned = probes + one(kOffered) - one(kTaken);
    if (probes_.compare_exchange_weak(probes, returned, std::memory_order_acq_rel)) return;
  }
}

}  // namespace holdfast::breaker

// Circuit: a breaker as all loops of a process share it: its name (`callee`, or `caller->callee`), the gate they ask,
// and a meter for each loop. It outlives reloads; the keeper on the control thread decides (guard/keeper.h).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/pinned.h"
#include "breaker/gate.h"
#include "breaker/meter.h"
#include "breaker/settings.h"

namespace holdfast::breaker {

class Circuit : Pinned {
 public:
  Circuit(std::string name, unsigned loops);

  const std::string& name() const { return name_; }
  Gate& gate() { return gate_; }
  /// Of the loop with that number.
  /// Requires: there is one.
  Meter& meter(unsigned loop) { return *meters_[loop]; }

  // Keeper only.

  void set_slow_call(Duration slow_call);
  /// Of all loops, since the beginning.
  Tally tally() const;
  std::uint32_t in_flight() const;

 private:
  const std::string name_;
  Gate gate_;
  std::vector<std::unique_ptr<Meter>> meters_;
};

/// "profile" or "feed->profile". An empty caller is nobody in particular.
std::string circuit_name(std::string_view caller, std::string_view callee);

}  // namespace holdfast::breaker

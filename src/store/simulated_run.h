// One seed: a simulated cluster, a random history on it, and the verdict. The same seed is the same run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/history.h"
#include "store/random_history.h"
#include "store/simulated_faults.h"

namespace holdfast::store {

struct SimulatedRun {
  std::vector<std::string> findings;  ///< what store.h forbids; empty is well
  History history;                    ///< of the last world, if the store was restored
  Happened happened;
  std::uint64_t digest = 0;  ///< over all that came to pass
};

/// `breakage` breaks the store, and finds out whether that is found.
SimulatedRun run_seed(std::uint64_t seed, Breakage breakage = Breakage::none, Workload workload = {});

}  // namespace holdfast::store

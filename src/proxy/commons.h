// Commons: what the loops of a proxy have in common beside the snapshot: how much memory and how many files there
// are, and who is connected. Touched when something begins or ends, never on the way of a request.
#pragma once

#include <cstdint>

#include "base/pinned.h"
#include "io/file_limit.h"
#include "io/loop.h"
#include "io/machine_memory.h"
#include "io/memory_budget.h"
#include "proxy/address_counts.h"

namespace holdfast::proxy {

struct Commons : Pinned {
  /// `configured`: of proxy.memory; 0: half of what the machine lets us have.
  void set_memory(std::size_t configured) { memory.set(configured != 0 ? configured : of_machine / 2); }

  const std::size_t of_machine = io::machine_memory();
  io::MemoryBudget memory;
  AddressCounts addresses{static_cast<std::uint64_t>(io::read_wall_clock_us()) ^
                          reinterpret_cast<std::uintptr_t>(this)};
  const unsigned files = io::raise_file_limit();
};

}  // namespace holdfast::proxy

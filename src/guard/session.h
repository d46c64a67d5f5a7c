// Session: a process's part in what all share: its store, the copy of what stands there, its lease.
#pragma once

#include "base/pinned.h"

namespace holdfast::guard {

class Session : Pinned {
 public:
  bool in_touch() const { return false; }
};

}  // namespace holdfast::guard

// How much memory this process may use: that of the machine, or less where a control group says so. Read once, at
// start. Source: cgroups(7); the kernel's "Control Group v2", memory.max; for version 1 memory.limit_in_bytes.
#pragma once

#include <cstddef>
#include <string>

namespace holdfast::io {

/// Of the machine, or the smallest limit of the control groups that we are in.
std::size_t machine_memory();

/// The smallest limit in the tree under `root` for the groups listed in `membership` (the text of /proc/self/cgroup);
/// the largest number there is if none is set.
std::size_t cgroup_memory(const std::string& root, const std::string& membership);

}  // namespace holdfast::io

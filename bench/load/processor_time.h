// Processor time of other processes, all their threads included, as the scheduler accounts it: exact to the nanosecond
// where the tick-based figures (user, system) are samples.
// Source: proc(5), /proc/PID/task/TID/schedstat and /proc/PID/stat; the kernel's Documentation/scheduler/sched-stats.
#pragma once

#include <vector>

#include "base/time.h"

namespace holdfast::bench {

struct ProcessorTime {
  Duration run{};     ///< on a core, from schedstat
  Duration waited{};  ///< ready to run while something else had the core, from schedstat
  Duration user{};    ///< sampled; only the share user / (user + system) is worth looking at
  Duration system{};  ///< sampled

  ProcessorTime operator-(const ProcessorTime& earlier) const {
    return {run - earlier.run, waited - earlier.waited, user - earlier.user, system - earlier.system};
  }
};

/// The sum over those processes. A process that is gone counts as zero.
ProcessorTime processor_time_of(const std::vector<int>& processes);

}  // namespace holdfast::bench

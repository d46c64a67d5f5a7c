// The metrics page: a Status as Prometheus reads it. Start reading at metrics_text(): one line per family.
//
// Names follow https://prometheus.io/docs/practices/naming: a prefix, base units, `_total` for what only grows. Labels
// are names of the configuration, so the number of series is bounded by the file. Counters start over with the process
// and with a service whose configuration changed; rate() is made for that.
#pragma once

#include <string>

#include "admin/status.h"

namespace holdfast::admin {

std::string metrics_text(const Status& status);

}  // namespace holdfast::admin

// Reloading: the file is read again after SIGHUP or a change, names may have other addresses; either leads to the next
// snapshot of the data plane, or to a refusal that leaves everything as it was.
#pragma once

#include "cli/control.h"

namespace holdfast::cli {

/// How long a start or a reload waits for names it has not heard of yet. Who is still unknown then has no endpoint
/// until an answer comes: a name server that is down must not keep a proxy down.
inline constexpr Duration kPatienceWithNames = 5s;

/// Applies, one after the other, what `control->change` tells of; ends with control->stop.
io::Task<> apply_changes(Ref<Control> control);

/// Looks at the file a few times a second and has it applied when it is another one. `applied`: its fingerprint from
/// before it was first read, so that a change in between is seen.
io::Task<> watch_file(Ref<Control> control, std::string applied);

}  // namespace holdfast::cli

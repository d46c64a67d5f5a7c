// The end of a proxy: everything under way is finished, then the loop stops.
#pragma once

#include "cli/control.h"

namespace holdfast::cli {

enum class Departure : unsigned char {
  stopped,     ///< nobody serves after us: connections that wait for a request get a moment to bring one
  taken_over,  ///< a successor serves: they have all the time there is
};

/// Begins it; a second call changes nothing.
void begin_drain(Control& control, Departure departure);

}  // namespace holdfast::cli

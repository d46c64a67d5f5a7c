// The breakers in the store, for as long as the file that is applied has both.
#pragma once

#include "cli/control.h"

namespace holdfast::cli {

/// Shares the breakers of `control.proxy` through the store of `control.asked` from now on, or with nobody if that
/// names none. What is shared already goes on undisturbed. Requires: the proxy has started.
void share_breakers(Control& control);

}  // namespace holdfast::cli

// Takes stock of a running proxy: the one place of this floor that knows what the data plane looks like inside.
#pragma once

#include "admin/status.h"

namespace holdfast::proxy {
class Proxy;
}

namespace holdfast::admin {

/// Visits each worker once, and waits for it; its `standing` is for the caller to say.
/// Core: the control loop.
Status collect(proxy::Proxy& proxy);

}  // namespace holdfast::admin

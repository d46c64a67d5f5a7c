// The service manager that started us, systemd or who speaks like it: sockets it opened for us (sd_listen_fds(3)), and
// what it wants to hear (sd_notify(3)). Both are a few lines of protocol, so no library is linked for them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "io/handover.h"

namespace holdfast::io {

/// The sockets that are handed to this process, by name (FileDescriptorName=). A second call gives none.
std::vector<NamedSocket> sockets_of_supervisor();

/// Tells it a state: "READY=1", "STOPPING=1". Without a service manager nothing happens.
void tell_supervisor(const std::string& state);

/// How often it wants to hear "WATCHDOG=1"; none if never.
std::optional<Duration> watchdog_interval();

}  // namespace holdfast::io

// Taking over: a new holdfast gets the listening sockets of the running one, serves, and lets it drain. No connection
// is refused in between, because the sockets never close (io/handover.h).
#pragma once

#include <optional>
#include <string>

#include "cli/control.h"

namespace holdfast::cli {

/// Where the proxy of this file waits for its successor: a socket in a folder of this user's own, by the file's real
/// path. $RUNTIME_DIRECTORY and $XDG_RUNTIME_DIR are used if they are there, else /run/holdfast or /tmp/holdfast-UID.
/// Errors: that folder cannot be made, or is somebody else's.
Result<std::string> takeover_path(const std::string& file);

/// Who runs now, with its sockets; none if nobody does.
Result<std::optional<io::Predecessor>> find_predecessor(const std::string& path);

/// Its connections are ours from now on: it drains.
void thank(const io::Predecessor& predecessor);

/// Hands the sockets to whoever asks for them at `here`, and drains as soon as a successor serves. Ends with
/// control->stop.
io::Task<> wait_for_successor(Ref<Control> control, io::Rendezvous here);

}  // namespace holdfast::cli

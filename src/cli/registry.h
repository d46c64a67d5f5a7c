// The endpoints of the store, for as long as the file that is applied asks for them.
#pragma once

#include <filesystem>
#include <string>

#include "cli/control.h"

namespace holdfast::cli {

/// How long a start waits for the store before it goes on with what was known the last time.
inline constexpr Duration kPatienceWithStore = 2s;
/// Opening a store blocks the control loop, which has more to do; it is tried again.
inline constexpr Duration kPatienceWithLock = 100ms;

/// Where what is known of a cluster's store is kept: the file for `of`, "endpoints" or "breakers".
std::filesystem::path snapshot_file(const config::Cluster& cluster, const std::string& of);

/// Follows the store of `model` from now on, or none if no service asks for its endpoints. One that is followed already
/// goes on undisturbed.
void follow_store(Control& control, const config::Model& model);

/// Waits until what is followed has been read once, but not for long.
io::Task<> wait_for_store(Ref<Control> control);

/// Ends following; awaited before the control loop ends.
io::Task<> leave_store(Ref<Control> control);

/// `asked` with all endpoints by address: those found in the store, and those of host names.
config::Model with_endpoints(const Control& control, const config::Model& asked);

}  // namespace holdfast::cli

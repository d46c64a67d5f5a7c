// How many files this process may have open, and who may take the last ones. Some are kept from clients, for
// connections to endpoints; some are kept from both, for the admin API and a reload: a proxy that ran out can be asked
// and mended.
//
// The kernel always gives out the lowest number that is free, so the number of a file says how many are left.
#pragma once

#include <algorithm>

namespace holdfast::io {

/// As many as the system lets us have: the soft limit becomes the hard one. Returns it.
unsigned raise_file_limit();

/// The numbers that the file of a client, and of a connection to an endpoint, may not reach.
constexpr unsigned files_for_clients(unsigned limit) { return limit - std::min(limit / 4, 4096U); }
constexpr unsigned files_for_endpoints(unsigned limit) { return limit - std::min(limit / 8, 256U); }

}  // namespace holdfast::io

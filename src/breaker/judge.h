// What the calls of a window say about the callee.
//
// Over the whole window the rate counts: at the threshold and beyond is bad, if there are minimum_requests. That alone
// would be slow, for when everything hangs, the good calls of ten seconds must first be outnumbered. So the newest
// calls alone may prove it too, when even the lower bound of the rate that they let one believe in (Wilson 1927, z = 4)
// lies at the threshold or beyond: chance does not get there, however often one looks; an outage does with 16 calls.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "breaker/settings.h"
#include "breaker/window.h"

namespace holdfast::breaker {

enum class Opinion : std::uint8_t {
  good,
  bad,
  none,  ///< too few calls to say
};

std::string_view to_string(Opinion opinion);

struct Verdict {
  Opinion opinion = Opinion::none;
  std::string why{};  ///< "31 of 40 calls failed", "20 of 20 calls took longer than 300ms"
};

/// `failures_in_a_row`: see Settings::consecutive_failures.
Verdict judge(const Settings& settings, const Window& window, unsigned failures_in_a_row);

/// The lower bound of a rate of which `hits` of `of` were seen; 0 when nothing was.
double lower_bound(std::uint64_t hits, std::uint64_t of);

}  // namespace holdfast::breaker

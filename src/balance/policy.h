// Policy: which endpoint gets the next request, in the words of the configuration's `balance` key.
#pragma once

#include <cstdint>
#include <string_view>

namespace holdfast::balance {

enum class Algorithm : std::uint8_t {
  round_robin,           ///< smooth weighted round robin
  weighted_round_robin,  ///< the same; only the configuration is stricter
  least_connections,     ///< fewest in flight over weight, ties in turn
  two_choices,           ///< less loaded of two distinct random ones
  peak_ewma,             ///< lowest decayed latency x in flight (beyond 32 members: of 8 random ones)
  random,                ///< by weight
  maglev,                ///< consistent hash, Maglev table
  ring,                  ///< consistent hash, ring of virtual nodes
};

struct Policy {
  Algorithm algorithm = Algorithm::round_robin;
  unsigned bounded_percent = 0;  ///< hashes only: no endpoint above this share of the mean load; 0: unbounded
};

/// "round_robin", "hash maglev", … as a person reads it.
std::string_view to_string(Algorithm algorithm);

inline bool is_hash(Algorithm algorithm) { return algorithm == Algorithm::maglev || algorithm == Algorithm::ring; }

}  // namespace holdfast::balance

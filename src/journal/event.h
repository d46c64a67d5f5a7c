// Event: something that happened in the cluster and that a person may ask about tomorrow, as a record in the store:
//
//   event/0006448f3a1b2c40-9f3e1a07  {"time":"2026-11-23T20:00:00.000Z","subject":"breaker feed->profile",
//                                     "what":"opened","why":"3 of 5 proxies: 20 of 20 calls failed","actor":"node a"}
//
// It is written in the same transaction as what it tells of, so there is neither without the other. The revision of
// that transaction is its number: unique, and in the order in which things happened. Format: docs/formats/store.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/prng.h"
#include "base/result.h"
#include "store/record.h"
#include "store/transaction.h"

namespace holdfast::journal {

inline constexpr std::string_view kEventPrefix = "event/";
/// Longer words are cut: an event is a line.
inline constexpr std::size_t kWordsMax = 1000;

struct Event {
  std::uint64_t sequence = 0;  ///< 0: not written yet
  std::int64_t wall_us = 0;    ///< by the clock of who wrote it
  std::string subject{};       ///< "breaker feed->profile"
  std::string what{};          ///< "opened"
  std::string why{};
  std::string actor{};  ///< "node a", "operator NAME"

  bool operator==(const Event&) const = default;
};

/// To be put into the transaction that does what it tells; one in a transaction.
store::Write write_event(const Event& event, Prng& prng);

/// Errors: Code::invalid: no JSON, no time, or words that are no text.
Result<Event> parse_event(const store::Record& record);

}  // namespace holdfast::journal

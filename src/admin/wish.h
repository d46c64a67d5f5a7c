// Wish: what somebody wants of a breaker, as the body of a PUT says it:
//
//   {"state":"open","reason":"profile's disk is full","actor":"anna@ops1","for":"10m"}
//
// Whoever may reach this API may do it. But a web page that an operator happens to look at must not be able to make his
// browser do it: that page can neither send JSON to us without our consent, nor hide where it comes from.
// Source: Fetch standard, "CORS-safelisted request-header"; RFC 6454 7 (Origin).
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "admin/answer.h"
#include "base/time.h"
#include "breaker/standing.h"
#include "http/head.h"

namespace holdfast::admin {

inline constexpr std::size_t kActorBytesMax = 100;
inline constexpr std::size_t kReasonBytesMax = 500;
inline constexpr Duration kForceMax = 7 * 24h;  ///< a longer one is forgotten before it ends

struct Wish {
  std::optional<breaker::State> state{};  ///< open or closed; none: it is to go by itself again
  std::string reason{};
  std::string actor = "somebody";
  std::optional<Duration> lasting{};
};

/// Errors: 403 from a page of another site, 415 for what is not said to be JSON.
std::optional<Answer> refuse_foreign(const http::RequestHead& head);

/// Errors: 400, with what is wrong and how to write it.
std::expected<Wish, Answer> parse_wish(std::string_view body);

}  // namespace holdfast::admin

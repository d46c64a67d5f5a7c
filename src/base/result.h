// Result<T>: a value, or an Error that says what the caller can do (Code), who has to act (Side), and words for a
// person.
//
// Expected failures travel as Results; no exception crosses a function of ours. Retrying is decided from code and side,
// in one place (balance/retry.h), never from the words.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace holdfast {

/// What kind of failure it is, by what can be done about it.
enum class Code : unsigned char {
  timed_out,   ///< the deadline passed first
  stopped,     ///< we were asked to stop; not a fault
  refused,     ///< nobody listens, or the peer said no
  closed,      ///< the peer ended the connection
  protocol,    ///< the peer's bytes break the protocol
  overloaded,  ///< a named limit is reached
  not_leader,  ///< the power needed for this write is not ours
  stale,       ///< the world changed while we waited
  denied,      ///< permission
  exists,      ///< it is there already
  missing,     ///< it is not there
  corrupt,     ///< stored bytes are damaged
  invalid,     ///< the input is wrong; words name place and remedy
  internal,    ///< none of the above
};

/// Who has to act.
enum class Side : unsigned char { client, upstream, store, local };

/// Words are innermost first, joined with ": ", without a full stop: "connect 10.0.0.7:5432: dial primary".
struct Error {
  Code code = Code::internal;
  Side side = Side::local;
  std::string what;
};

/// "timed_out", "stopped", … as they appear in logs.
std::string_view to_string(Code code);
std::string_view to_string(Side side);

/// The Code for an errno value (positive). Unknown values are Code::internal.
Code code_from_errno(int error);

/// std::expected with a warning for whoever drops it.
template <class T = void>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
};

/// A failed Result of any type.
inline std::unexpected<Error> fail(Code code, Side side, std::string what) {
  return std::unexpected<Error>(Error{code, side, std::move(what)});
}

/// Hands on a failure with what we were doing added to its words.
/// Requires: `result` holds an error.
template <class T>
std::unexpected<Error> pass(Result<T>& result, std::string_view while_doing) {
  Error error = std::move(result.error());
  error.what.append(": ").append(while_doing);
  return std::unexpected<Error>(std::move(error));
}

}  // namespace holdfast

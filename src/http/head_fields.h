// The field section of a head, common to requests and responses (RFC 9112 5), and the facts it holds about framing and
// connection. Internal to this floor.
//
// Everything is judged in the order of the bytes, a line at the latest when its CRLF has come: so a longer prefix can
// never lead to another verdict than a shorter one.
#pragma once

#include "http/authority.h"
#include "http/parse.h"

namespace holdfast::http {

/// What the fields say beside being there.
struct FieldFacts {
  bool request = true;             ///< in: which direction is read
  std::uint8_t minor_version = 1;  ///< in
  bool has_content_length = false;
  bool has_host = false;
  bool chunked = false;
  bool close = false;       ///< Connection: close
  bool keep_alive = false;  ///< Connection: keep-alive
  bool upgrade = false;     ///< Connection: upgrade
  bool has_upgrade = false;
  bool websocket = false;       ///< Upgrade: websocket, and nothing else in any line
  bool odd_connection = false;  ///< an element of Connection is no token: its meaning is in doubt
  bool nominated = false;       ///< Connection names fields
  bool expect_continue = false;
  std::uint32_t connection_options = 0;  ///< elements of all Connection lines
  std::uint64_t content_length = 0;
  std::string_view host;  ///< the value of Host
  Authority authority;    ///< what Host says
};

constexpr ParseOutcome refuse(std::uint16_t answer, std::string_view reason) {
  return {.status = ParseStatus::malformed, .answer = answer, .head_bytes = 0, .reason = reason};
}
constexpr ParseOutcome incomplete() { return {}; }
/// What has been read so far is right.
inline constexpr ParseOutcome kGoOn{.status = ParseStatus::complete, .answer = 0, .head_bytes = 0, .reason = {}};

/// Reads field lines from `at` up to and including the empty line, and moves `at` behind it. Its `head_bytes` is unset.
ParseOutcome read_fields(const char*& at, const char* end, const Limits& limits, FieldList& fields, FieldFacts& facts);

/// Does the connection go on after this message (RFC 9112 9.3)? Doubt about Connection ends it.
constexpr bool is_persistent(const FieldFacts& facts) {
  if (facts.close || facts.odd_connection) return false;
  return facts.minor_version >= 1 || facts.keep_alive;
}

}  // namespace holdfast::http

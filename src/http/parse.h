// Bytes to heads, strictly by RFC 9112: what two servers could read differently is refused.
//
// Promises: one pass, no allocation once a head object is warm, no byte read twice into a different meaning. Feeding a
// longer prefix of the same bytes turns `incomplete` into another verdict, and never changes a verdict once given.
// Start reading at request.cc; the rules common to both directions are in head_fields.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/head.h"
#include "http/limits.h"

namespace holdfast::http {

enum class ParseStatus : std::uint8_t { complete, incomplete, malformed };

struct ParseOutcome {
  ParseStatus status = ParseStatus::incomplete;
  std::uint16_t answer = 0;      ///< malformed: the status to answer (502 for responses); the connection ends with it
  std::size_t head_bytes = 0;    ///< complete: bytes of the head, its empty line included
  std::string_view reason = {};  ///< malformed: static words that cite the rule
};

/// Reads a request head. One empty line before it is skipped (RFC 9112 2.2), two are refused.
/// `head` is complete only with ParseStatus::complete; with malformed, what had been read by then is there for the log.
/// CONNECT and TRACE are refused with 405.
ParseOutcome parse_request_head(std::string_view bytes, const Limits& limits, RequestHead& head);

/// Reads the head of the answer to a request of `request_method`. Nothing may stand before it.
/// `upgrade_asked`: we forwarded a websocket upgrade; a 101 that we did not ask for is malformed.
ParseOutcome parse_response_head(std::string_view bytes, const Limits& limits, Method request_method,
                                 ResponseHead& head, bool upgrade_asked = false);

}  // namespace holdfast::http

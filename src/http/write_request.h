// Heads to bytes, towards an upstream. Nothing is relayed unparsed: own request line, exactly one Host, exactly one
// framing field or none, nothing that belongs to the client's connection.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "http/head.h"

namespace holdfast::http {

struct RequestRewrite {
  std::string_view target = {};      ///< replaces path and query; empty: as received, in origin-form
  std::string_view host = {};        ///< replaces the authority in Host; empty: as received
  std::string_view client = {};      ///< the peer's address, for X-Forwarded-For; empty: the field is not set
  std::string_view proto = {};       ///< "http" or "https", for X-Forwarded-Proto; empty: not set
  std::string_view request_id = {};  ///< X-Request-Id; empty: not set
  std::optional<std::uint64_t> timeout_ms = {};  ///< X-Holdfast-Timeout-Ms; none: not set
  bool trust_forwarded = false;       ///< the peer's own forwarding fields are appended to or kept, not replaced
  bool forward_expect = false;        ///< pass on Expect: 100-continue
  bool websocket = false;             ///< pass on the upgrade that head.websocket asks for
  bool keep_alive = true;             ///< false: Connection: close towards the upstream
  std::span<const Field> extra = {};  ///< added last
};

/// No message is longer than this many bytes. A writer refuses a span that is shorter, even if the message would fit.
std::size_t request_head_bound(const RequestHead& head, const RequestRewrite& rewrite);

/// Writes the head that goes upstream; framing is that of `head`. Returns its bytes; none when `out` is shorter than
/// the bound. Fields keep their order and the spelling of their names.
std::optional<std::size_t> write_request_head(const RequestHead& head, const RequestRewrite& rewrite,
                                              std::span<char> out);

}  // namespace holdfast::http

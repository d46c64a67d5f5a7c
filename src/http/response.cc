// Response heads: the status line (RFC 9112 4), then the rules for the length of the body (RFC 9112 6.3). Whatever is
// wrong here is the upstream's doing, so the client is told 502.
#include "base/text.h"
#include "http/chars.h"
#include "http/head_fields.h"
#include "http/version.h"

namespace holdfast::http {
namespace {

/// 3DIGIT [ SP reason ] CRLF. The RFC wants the space even without words; that it is often forgotten hurts nobody.
ParseOutcome read_status(const char*& at, const char* end, ResponseHead& head) {
  std::uint16_t status = 0;
  for (int digit = 0; digit < 3; ++digit, ++at) {
    if (at == end) return incomplete();
    if (!is_digit(*at)) return refuse(502, "RFC 9112 4: the status is not three digits");
    status = static_cast<std::uint16_t>(status * 10 + (*at - '0'));
  }
  if (status < 100) return refuse(502, "RFC 9110 15: the status is below 100");
  head.status = status;
  if (at == end) return incomplete();
  if (*at != ' ' && *at != '\r') return refuse(502, "RFC 9112 4: the status is not three digits");
  if (*at == ' ') ++at;
  const char* stop = find_control(at, end);
  while (stop != end && *stop == '\t') stop = find_control(stop + 1, end);
  if (stop == end) return incomplete();
  if (*stop != '\r') return refuse(502, "RFC 9112 4: a control character in the reason phrase");
  if (end - stop < 2) return incomplete();
  if (stop[1] != '\n') return refuse(502, "RFC 9112 2.2: bare CR");
  head.reason = trim({at, stop});
  at = stop + 2;
  return kGoOn;
}

/// RFC 9112 6.3, in the order of its list. An answer that is followed by bytes it may not have poisons the next one, so
/// where it announces such bytes the connection is not used again.
ParseOutcome conclude(ResponseHead& head, const FieldFacts& facts, Method request_method, bool upgrade_asked) {
  head.has_content_length = facts.has_content_length;
  head.content_length = facts.content_length;
  head.keep_alive = is_persistent(facts);
  const bool announces_body = facts.chunked || facts.content_length > 0;
  if (head.status < 200) {
    if (announces_body) return refuse(502, "RFC 9112 6.1: an interim answer with a body");
    if (head.status != 101) return kGoOn;
    head.keep_alive = false;
    head.websocket = upgrade_asked && facts.upgrade && facts.websocket;
    return head.websocket ? kGoOn : refuse(502, "RFC 9110 15.2.2: 101 to what was not asked");
  }
  if (head.status == 204 && announces_body) head.keep_alive = false;
  if (request_method == Method::head || head.status == 204 || head.status == 304) return kGoOn;
  if (facts.chunked) {
    head.framing = Framing::chunked;
  } else if (facts.has_content_length) {
    head.framing = Framing::length;
  } else {
    head.framing = Framing::until_close;
    head.keep_alive = false;
  }
  return kGoOn;
}

ParseOutcome parse(const char*& at, const char* end, const Limits& limits, Method request_method, ResponseHead& head,
                   bool upgrade_asked) {
  FieldFacts facts;
  facts.request = false;
  ParseOutcome outcome = read_version(at, end, " ", facts.minor_version);
  if (outcome.status != ParseStatus::complete) return outcome;
  head.minor_version = facts.minor_version;
  outcome = read_status(at, end, head);
  if (outcome.status != ParseStatus::complete) return outcome;
  outcome = read_fields(at, end, limits, head.fields, facts);
  if (outcome.status != ParseStatus::complete) return outcome;
  return conclude(head, facts, request_method, upgrade_asked);
}

}  // namespace

ParseOutcome parse_response_head(std::string_view bytes, const Limits& limits, Method request_method,
                                 ResponseHead& head, bool upgrade_asked) {
  head.clear();
  const std::string_view seen = bytes.substr(0, limits.header_bytes);
  const char* at = seen.data();
  ParseOutcome outcome = parse(at, seen.data() + seen.size(), limits, request_method, head, upgrade_asked);
  if (outcome.status == ParseStatus::complete) outcome.head_bytes = static_cast<std::size_t>(at - seen.data());
  if (outcome.status == ParseStatus::incomplete && seen.size() < bytes.size()) {
    return refuse(502, "RFC 6585 5: the head is too long");
  }
  if (outcome.status == ParseStatus::malformed) outcome.answer = 502;
  return outcome;
}

}  // namespace holdfast::http

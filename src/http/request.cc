// Request heads: the request line and the four forms of its target (RFC 9112 3), then what the fields make of it.
#include <algorithm>

#include "base/text.h"
#include "http/chars.h"
#include "http/head_fields.h"
#include "http/version.h"

namespace holdfast::http {
namespace {

/// RFC 9112 2.2: "A server that is expecting to receive and parse a request-line SHOULD ignore at least one empty line
/// (CRLF) received prior to the request-line." We ignore one.
ParseOutcome skip_empty_line(const char*& at, const char* end) {
  if (at == end) return incomplete();
  if (*at != '\r') return kGoOn;
  if (end - at < 2) return incomplete();
  if (at[1] != '\n') return refuse(400, "RFC 9112 2.2: bare CR");
  at += 2;
  return kGoOn;
}

ParseOutcome read_method(const char*& at, const char* end, const Limits& limits, RequestHead& head) {
  const char* const stop = find_not_token(at, end);
  if (stop - at > static_cast<std::ptrdiff_t>(limits.method_bytes)) {
    return refuse(501, "RFC 9112 3: the method is longer than any we know");
  }
  if (stop == end) return incomplete();
  if (stop == at || *stop != ' ') return refuse(400, "RFC 9112 3.1: the method is not a token and a space");
  head.method_text = {at, stop};
  head.method = method_of(head.method_text);
  at = stop + 1;
  return kGoOn;
}

ParseOutcome refuse_target(char c) {
  if (c == '#') return refuse(400, "RFC 9112 3.2: a fragment in the target");
  if (c == '\r' || c == '\n') return refuse(400, "RFC 9112 3: a request line without a version");
  return refuse(400, "RFC 9112 3.2: a control character or 8-bit character in the target");
}

ParseOutcome read_target(const char*& at, const char* end, const Limits& limits, RequestHead& head) {
  const char* const stop = find_not_target(at, end);
  if (stop - at > static_cast<std::ptrdiff_t>(limits.target_bytes)) {
    return refuse(414, "RFC 9112 3: the target is too long");
  }
  if (stop == end) return incomplete();
  if (*stop != ' ') return refuse_target(*stop);
  if (stop == at) return refuse(400, "RFC 9112 3: the target is empty, or there is more than one space");
  head.target = {at, stop};
  at = stop + 1;
  return kGoOn;
}

/// path?query, either of which may be missing in the absolute form.
void split_target(std::string_view path_and_query, RequestHead& head) {
  const std::size_t mark = path_and_query.find('?');
  head.path = path_and_query.substr(0, mark);
  if (mark != std::string_view::npos) head.query = path_and_query.substr(mark + 1);
  // RFC 9112 3.2.1 and 3.2.4: an empty path is "/", but for OPTIONS without a query it is "*".
  if (head.path.empty()) head.path = head.method == Method::options && head.query.data() == nullptr ? "*" : "/";
}

/// Reads scheme://authority[path][?query]; `default_port` becomes that of the scheme.
ParseOutcome read_absolute_form(RequestHead& head, std::uint16_t& default_port) {
  const std::size_t colon = head.target.find(':');
  const std::string_view scheme = head.target.substr(0, colon);
  if (colon == std::string_view::npos || !head.target.substr(colon).starts_with("://") ||
      !(iequals(scheme, "http") || iequals(scheme, "https"))) {
    return refuse(400, "RFC 9112 3.2: the target is neither a path nor an http URI");
  }
  default_port = scheme.size() == 4 ? 80 : 443;
  const std::string_view rest = head.target.substr(colon + 3);
  const std::size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
  head.authority = rest.substr(0, authority_end);
  const std::optional<Authority> authority = parse_authority(head.authority);
  if (!authority || authority->host.empty()) {
    return refuse(400, "RFC 9110 4.2: the URI has no host, userinfo, or no valid host[:port]");
  }
  head.host = authority->host;
  head.port = authority->port;
  split_target(rest.substr(authority_end), head);
  return kGoOn;
}

/// Judges the target once the whole request line is there. `default_port` stays 0 unless it is in absolute-form.
ParseOutcome judge_target(RequestHead& head, std::uint16_t& default_port) {
  if (head.method == Method::connect) {
    const std::optional<Authority> authority = parse_authority(head.target);
    if (!authority || authority->port == 0) return refuse(400, "RFC 9112 3.2.3: CONNECT wants host:port");
    return refuse(405, "RFC 9110 9.3.6: CONNECT is not served here");
  }
  if (head.method == Method::trace) return refuse(405, "RFC 9110 9.3.8: TRACE is not served here");
  if (head.target.front() == '/') {
    split_target(head.target, head);
    return kGoOn;
  }
  if (head.target == "*") {
    if (head.method != Method::options) return refuse(400, "RFC 9112 3.2.4: '*' is for OPTIONS alone");
    head.path = head.target;
    return kGoOn;
  }
  return read_absolute_form(head, default_port);
}

/// RFC 9112 3.2: Host must be there, and where the target says it too they must agree. The RFC lets the target win; two
/// servers that disagree about that would serve different sites, so we refuse.
ParseOutcome judge_host(RequestHead& head, const FieldFacts& facts, std::uint16_t default_port) {
  if (!facts.has_host) {
    if (head.minor_version >= 1) return refuse(400, "RFC 9112 3.2: no Host");
    return kGoOn;
  }
  if (default_port == 0) {
    head.authority = facts.host;
    head.host = facts.authority.host;
    head.port = facts.authority.port;
    return kGoOn;
  }
  const auto port_or_default = [default_port](std::uint16_t port) { return port == 0 ? default_port : port; };
  if (!iequals(head.host, facts.authority.host) ||
      port_or_default(head.port) != port_or_default(facts.authority.port)) {
    return refuse(400, "RFC 9112 3.2.2: target and Host name different authorities");
  }
  return kGoOn;
}

/// What the fields mean for the body and for the connection.
void conclude(RequestHead& head, const FieldFacts& facts) {
  head.framing = facts.chunked ? Framing::chunked : facts.has_content_length ? Framing::length : Framing::none;
  head.content_length = facts.content_length;
  head.keep_alive = is_persistent(facts);
  const bool has_body = facts.chunked || facts.content_length > 0;
  // RFC 9110 10.1.1: an expectation in HTTP/1.0 is ignored, and one without a body asks for nothing.
  head.expect_continue = facts.expect_continue && has_body && facts.minor_version >= 1;
  // RFC 9110 7.8: Upgrade in HTTP/1.0 is ignored; RFC 6455 4.1: the handshake is a GET. No other upgrade is known here.
  head.websocket =
      facts.websocket && facts.upgrade && facts.minor_version >= 1 && head.method == Method::get && !has_body;
}

ParseOutcome parse(const char*& at, const char* end, const Limits& limits, RequestHead& head) {
  ParseOutcome outcome = skip_empty_line(at, end);
  if (outcome.status != ParseStatus::complete) return outcome;
  outcome = read_method(at, end, limits, head);
  if (outcome.status != ParseStatus::complete) return outcome;
  outcome = read_target(at, end, limits, head);
  if (outcome.status != ParseStatus::complete) return outcome;

  FieldFacts facts;
  outcome = read_version(at, end, "\r\n", facts.minor_version);
  if (outcome.status != ParseStatus::complete) return outcome;
  head.minor_version = facts.minor_version;
  std::uint16_t default_port = 0;
  outcome = judge_target(head, default_port);
  if (outcome.status != ParseStatus::complete) return outcome;

  outcome = read_fields(at, end, limits, head.fields, facts);
  if (outcome.status != ParseStatus::complete) return outcome;
  outcome = judge_host(head, facts, default_port);
  if (outcome.status == ParseStatus::complete) conclude(head, facts);
  return outcome;
}

}  // namespace

ParseOutcome parse_request_head(std::string_view bytes, const Limits& limits, RequestHead& head) {
  head.clear();
  // Looking at no more than the limit makes the verdict independent of how much came at once.
  const std::string_view seen = bytes.substr(0, limits.header_bytes);
  const char* at = seen.data();
  ParseOutcome outcome = parse(at, seen.data() + seen.size(), limits, head);
  if (outcome.status == ParseStatus::complete) outcome.head_bytes = static_cast<std::size_t>(at - seen.data());
  if (outcome.status == ParseStatus::incomplete && seen.size() < bytes.size()) {
    return refuse(431, "RFC 6585 5: the head is too long");
  }
  return outcome;
}

}  // namespace holdfast::http

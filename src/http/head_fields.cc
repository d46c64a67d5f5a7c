#include "http/head_fields.h"

#include <limits>

#include "base/text.h"
#include "http/chars.h"

namespace holdfast::http {
namespace {

/// RFC 9110 8.6: 1*DIGIT. Bodies end at 2^63 - 1 bytes, so that sums of lengths cannot overflow.
std::optional<std::uint64_t> parse_content_length(std::string_view text) {
  const std::optional<std::uint64_t> length = parse_number<std::uint64_t>(text);
  if (!length || *length > std::numeric_limits<std::int64_t>::max()) return std::nullopt;
  return length;
}

ParseOutcome note_content_length(std::string_view value, FieldFacts& facts) {
  if (facts.has_content_length) return refuse(400, "RFC 9112 6.3: more than one Content-Length");
  if (facts.chunked) return refuse(400, "RFC 9112 6.3: both Transfer-Encoding and Content-Length");
  const std::optional<std::uint64_t> length = parse_content_length(value);
  if (!length) return refuse(400, "RFC 9110 8.6: Content-Length is not a decimal number");
  facts.has_content_length = true;
  facts.content_length = *length;
  return kGoOn;
}

/// Only exactly "chunked" is understood. A list that ends in it after another coding is one we do not implement; any
/// other leaves the length of a request unknown.
ParseOutcome note_transfer_encoding(std::string_view value, FieldFacts& facts) {
  if (facts.has_content_length) return refuse(400, "RFC 9112 6.3: both Transfer-Encoding and Content-Length");
  if (facts.chunked) return refuse(400, "RFC 9112 6.1: more than one Transfer-Encoding");
  if (facts.minor_version == 0) return refuse(400, "RFC 9112 6.1: Transfer-Encoding in HTTP/1.0");
  if (iequals(value, "chunked")) {
    facts.chunked = true;
    return kGoOn;
  }
  const std::size_t comma = value.rfind(',');
  if (comma == std::string_view::npos || !iequals(trim(value.substr(comma + 1)), "chunked")) {
    return refuse(400, "RFC 9112 6.3: the final transfer coding is not chunked");
  }
  std::string_view rest = value.substr(0, comma);
  while (true) {
    const std::size_t next = rest.find(',');
    const std::string_view coding = trim(rest.substr(0, next));
    if (!is_token(coding)) return refuse(400, "RFC 9112 6.1: a transfer coding is not a token");
    if (iequals(coding, "chunked")) return refuse(400, "RFC 9112 6.1: chunked is applied twice");
    if (next == std::string_view::npos) break;
    rest.remove_prefix(next + 1);
  }
  return refuse(501, "RFC 9112 6.1: a transfer coding other than chunked");
}

/// RFC 9110 7.6.1. Empty elements are allowed; one that is not a token can name nothing.
ParseOutcome note_connection(std::string_view value, const Limits& limits, FieldFacts& facts) {
  while (true) {
    const std::size_t comma = value.find(',');
    const std::string_view option = trim(value.substr(0, comma));
    if (++facts.connection_options > limits.connection_options)
      return refuse(431, "RFC 6585 5: too many connection options");
    if (iequals(option, "keep-alive")) {
      facts.keep_alive = true;
    } else if (iequals(option, "close")) {
      facts.close = true;
    } else if (iequals(option, "upgrade")) {
      facts.upgrade = true;
    } else if (kFraming.has(name_of(option))) {
      return refuse(400, "RFC 9110 7.6.1: Connection names a field that frames or routes the message");
    } else if (is_token(option)) {
      facts.nominated = true;
    } else if (!option.empty()) {
      facts.odd_connection = true;
    }
    if (comma == std::string_view::npos) return kGoOn;
    value.remove_prefix(comma + 1);
  }
}

ParseOutcome note_host(std::string_view value, FieldFacts& facts) {
  if (facts.has_host) return refuse(400, "RFC 9112 3.2: more than one Host");
  const std::optional<Authority> authority = parse_authority(value);
  if (!authority) return refuse(400, "RFC 9112 3.2: Host is not host[:port]");
  facts.has_host = true;
  facts.host = value;
  facts.authority = *authority;
  return kGoOn;
}

/// RFC 9110 10.1.1: anything but 100-continue may be answered 417, and what looks nearly like it is meant for someone
/// who reads it otherwise.
ParseOutcome note_expect(std::string_view value, FieldFacts& facts) {
  if (facts.expect_continue || !iequals(value, "100-continue")) {
    return refuse(417, "RFC 9110 10.1.1: an expectation other than 100-continue");
  }
  facts.expect_continue = true;
  return kGoOn;
}

ParseOutcome note_field(const Field& field, const Limits& limits, FieldFacts& facts) {
  switch (field.id) {
    case Name::content_length: return note_content_length(field.value, facts);
    case Name::transfer_encoding: return note_transfer_encoding(field.value, facts);
    case Name::connection: return note_connection(field.value, limits, facts);
    case Name::host: return facts.request ? note_host(field.value, facts) : kGoOn;
    case Name::expect: return facts.request ? note_expect(field.value, facts) : kGoOn;
    case Name::upgrade:
      facts.websocket = (facts.websocket || !facts.has_upgrade) && iequals(field.value, "websocket");
      facts.has_upgrade = true;
      return kGoOn;
    default: return kGoOn;
  }
}

/// The few fields that say something about the message itself: note_field reads them.
constexpr NameSet kTelling = {Name::connection, Name::content_length,    Name::expect,
                              Name::host,       Name::transfer_encoding, Name::upgrade};

/// What is wrong with a byte that is neither ':' nor part of a token.
ParseOutcome refuse_name(const char* line, const char* at) {
  if (is_blank(*at)) {
    return refuse(400, at == line ? "RFC 9112 5.2: line folding or white space before the first field"
                                  : "RFC 9112 5.1: white space between field name and colon");
  }
  if (*at == '\r' || *at == '\n') return refuse(400, "RFC 9112 5: a field line without a colon");
  return refuse(400, "RFC 9110 5.1: a field name is not a token");
}

ParseOutcome refuse_value(char c) {
  if (c == '\r') return refuse(400, "RFC 9112 2.2: bare CR");
  if (c == '\n') return refuse(400, "RFC 9112 2.2: bare LF");
  return refuse(400, "RFC 9110 5.5: a control character in a field value");
}

/// Takes out what Connection names. A field that says who the client is stays: nobody can strip it from outside.
void take_out_nominated(FieldList& fields) {
  for (const Field& connection : fields) {
    if (connection.id != Name::connection) continue;
    std::string_view rest = connection.value;
    while (true) {
      const std::size_t comma = rest.find(',');
      const std::string_view option = trim(rest.substr(0, comma));
      for (Field& field : fields) {
        if (iequals(field.name, option) && !kProtected.has(field.id)) field.end_to_end = false;
      }
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
}

constexpr ParseOutcome kFieldTooLong = refuse(431, "RFC 6585 5: a field line is too long");

}  // namespace

ParseOutcome read_fields(const char*& at, const char* end, const Limits& limits, FieldList& fields, FieldFacts& facts) {
  const auto is_too_long = [&limits](const char* line, const char* stop) {
    return stop - line > static_cast<std::ptrdiff_t>(limits.field_bytes);
  };
  while (true) {
    const char* const line = at;
    if (line == end) return incomplete();
    if (*line == '\r') {
      if (end - line < 2) return incomplete();
      if (line[1] != '\n') return refuse(400, "RFC 9112 2.2: bare CR");
      at = line + 2;
      if (facts.nominated) take_out_nominated(fields);
      return kGoOn;
    }
    if (*line == '\n') return refuse(400, "RFC 9112 2.2: bare LF");
    if (fields.size() == limits.headers) return refuse(431, "RFC 6585 5: too many fields");

    Field field;
    const char* colon = find_near_colon(line, end);
    if (colon != nullptr) field.id = name_of({line, colon});
    if (field.id == Name::other) {
      // Only a name that was recognised is known to be a token.
      colon = find_not_token(line, end);
      if (is_too_long(line, colon)) return kFieldTooLong;
      if (colon == end) return incomplete();
      if (*colon != ':') return refuse_name(line, colon);
      if (colon == line) return refuse(400, "RFC 9110 5.1: a field name is empty");
      field.id = name_of({line, colon});
    }
    field.name = {line, colon};

    const char* value = colon + 1;
    while (value != end && is_blank(*value)) ++value;
    const char* stop = find_control(value, end);
    while (stop != end && *stop == '\t') stop = find_control(stop + 1, end);
    if (is_too_long(line, stop)) return kFieldTooLong;
    if (stop == end) return incomplete();
    if (*stop != '\r') return refuse_value(*stop);
    if (end - stop < 2) return incomplete();
    if (stop[1] != '\n') return refuse_value('\r');
    at = stop + 2;

    const char* value_end = stop;
    while (value_end != value && is_blank(value_end[-1])) --value_end;
    field.value = {value, value_end};
    field.verbatim = value == colon + 2 && colon[1] == ' ' && value_end == stop;
    if (field.id == Name::other) {
      if (facts.request && limits.underscores != Underscores::forward && field.name.find('_') != field.name.npos) {
        if (limits.underscores == Underscores::reject) return refuse(400, "policy: an underscore in a field name");
        field.end_to_end = false;
      }
    } else {
      field.end_to_end = !kHopByHop.has(field.id);
      if (kTelling.has(field.id)) {
        const ParseOutcome outcome = note_field(field, limits, facts);
        if (outcome.status == ParseStatus::malformed) return outcome;
      }
    }
    fields.add(field);
  }
}

}  // namespace holdfast::http

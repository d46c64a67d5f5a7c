#include "http/meaning.h"

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace holdfast::http {
namespace {

// Written by us and not copied: what they say stands in the conclusions.
constexpr NameSet kRewritten = [] {
  NameSet names = {Name::host, Name::content_length, Name::expect, Name::trailer};
  names.add(kHopByHop);
  names.add(kForwarding);
  return names;
}();

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), to_lower);
  return result;
}

void add(std::string& text, std::string_view what, std::string_view value) {
  text.append(what).append("=").append(value).append("\n");
}
void add(std::string& text, std::string_view what, std::uint64_t value) { add(text, what, std::to_string(value)); }

void add_fields(std::string& text, const FieldList& fields) {
  for (const Field& field : fields) {
    if (field.end_to_end && !kRewritten.has(field.id)) add(text, field.name, field.value);
  }
}

std::string words_of(const ParseOutcome& outcome) {
  if (outcome.status == ParseStatus::incomplete) return "incomplete";
  if (outcome.status == ParseStatus::malformed)
    return std::to_string(outcome.answer).append(" ").append(outcome.reason);
  return std::to_string(outcome.head_bytes).append(" bytes\n");
}

/// A prefix is incomplete, or says what the whole says.
template <class Read>
std::string contradiction(std::string_view bytes, const Read& read) {
  const std::string whole = read(bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    // A copy of exactly that size, so that reading beyond it is seen by a sanitizer.
    const std::vector<char> prefix(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    const std::string part = read({prefix.data(), prefix.size()});
    if (part != "incomplete" && part != whole) {
      return "the first " + std::to_string(size) + " bytes: " + part + "\nall: " + whole;
    }
  }
  return {};
}

std::string difference(const std::string& before, const std::string& after) {
  return before == after ? std::string{} : "before:\n" + before + "\nafter:\n" + after;
}

}  // namespace

std::string meaning_of(const RequestHead& head) {
  std::string text;
  add(text, "method", head.method_text);
  add(text, "path", head.path);
  add(text, head.query.data() == nullptr ? "no query" : "query", head.query);
  add(text, "host", lower(head.host));
  add(text, "port", head.port);
  add(text, "framing", static_cast<std::uint64_t>(head.framing));
  add(text, "length", head.content_length);
  add(text, "expects", head.expect_continue ? 1 : 0);
  add(text, "websocket", head.websocket ? 1 : 0);
  add_fields(text, head.fields);
  return text;
}

std::string meaning_of(const ResponseHead& head) {
  std::string text;
  add(text, "status", head.status);
  add(text, "reason", head.reason);
  add(text, "framing", static_cast<std::uint64_t>(head.framing));
  add(text, "websocket", head.websocket ? 1 : 0);
  const bool has_length = head.has_content_length && head.status >= 200 && head.status != 204;
  add(text, has_length ? "length" : "no length", has_length ? head.content_length : 0);
  add_fields(text, head.fields);
  return text;
}

std::string read_request(std::string_view bytes, const Limits& limits) {
  RequestHead head;
  const ParseOutcome outcome = parse_request_head(bytes, limits, head);
  return words_of(outcome) + (outcome.status == ParseStatus::complete ? meaning_of(head) : "");
}

std::string read_response(std::string_view bytes, const Limits& limits, Method method, bool upgrade_asked) {
  ResponseHead head;
  const ParseOutcome outcome = parse_response_head(bytes, limits, method, head, upgrade_asked);
  return words_of(outcome) + (outcome.status == ParseStatus::complete ? meaning_of(head) : "");
}

std::string contradiction_in_request(std::string_view bytes, const Limits& limits) {
  return contradiction(bytes, [&](std::string_view part) { return read_request(part, limits); });
}

std::string contradiction_in_response(std::string_view bytes, const Limits& limits, Method method, bool upgrade_asked) {
  return contradiction(bytes,
                       [&](std::string_view part) { return read_response(part, limits, method, upgrade_asked); });
}

std::string write(const RequestHead& head, const RequestRewrite& rewrite) {
  std::vector<char> out(request_head_bound(head, rewrite));
  const auto size = write_request_head(head, rewrite, out);
  return size ? std::string(out.data(), *size) : std::string{};
}

std::string write(const ResponseHead& head, const ResponseRewrite& rewrite) {
  std::vector<char> out(response_head_bound(head, rewrite));
  const auto size = write_response_head(head, rewrite, out);
  return size ? std::string(out.data(), *size) : std::string{};
}

std::string change_by_writing(const RequestHead& head, const RequestRewrite& rewrite) {
  const std::string written = write(head, rewrite);
  if (written.empty()) return "does not fit its bound";
  Limits wide;
  wide.header_bytes *= 4;
  wide.field_bytes *= 4;
  wide.target_bytes *= 2;
  wide.headers *= 2;
  wide.underscores = Underscores::forward;
  RequestHead again;
  const ParseOutcome outcome = parse_request_head(written, wide, again);
  if (outcome.status != ParseStatus::complete) return words_of(outcome);
  if (outcome.head_bytes != written.size()) return "the head ends early";
  std::string change = difference(meaning_of(head), meaning_of(again));
  // Who is trusted is added to; everything else, written once more, stays byte for byte.
  if (change.empty() && !rewrite.trust_forwarded) change = difference(written, write(again, rewrite));
  return change;
}

std::string change_by_writing(const ResponseHead& head, Method method, const ResponseRewrite& rewrite) {
  const std::string written = write(head, rewrite);
  if (written.empty()) return "does not fit its bound";
  Limits wide;
  wide.header_bytes *= 4;
  wide.field_bytes *= 4;
  wide.headers *= 2;
  ResponseHead again;
  const ParseOutcome outcome = parse_response_head(written, wide, method, again, head.websocket);
  if (outcome.status != ParseStatus::complete) return words_of(outcome);
  if (outcome.head_bytes != written.size()) return "the head ends early";
  std::string change = difference(meaning_of(head), meaning_of(again));
  if (change.empty()) change = difference(written, write(again, rewrite));
  return change;
}

}  // namespace holdfast::http

// What a head means, in one comparable text: for tests and fuzzers, which ask whether writing and reading again, or
// receiving in other pieces, changed anything. Not for the request path.
#pragma once

#include <string>

#include "http/parse.h"
#include "http/write_request.h"
#include "http/write_response.h"

namespace holdfast::http {

/// Start line, framing, conclusions and the fields that go on, in order.
std::string meaning_of(const RequestHead& head);
std::string meaning_of(const ResponseHead& head);

/// The outcome and, when complete, the meaning.
std::string read_request(std::string_view bytes, const Limits& limits);
std::string read_response(std::string_view bytes, const Limits& limits, Method method, bool upgrade_asked);

/// Empty, or how a prefix of `bytes` contradicts the whole: read_request and read_response never may.
std::string contradiction_in_request(std::string_view bytes, const Limits& limits);
std::string contradiction_in_response(std::string_view bytes, const Limits& limits, Method method, bool upgrade_asked);

/// The head as it goes out; empty when it does not fit its own bound, which must not be.
std::string write(const RequestHead& head, const RequestRewrite& rewrite);
std::string write(const ResponseHead& head, const ResponseRewrite& rewrite);

/// Empty, or how the head reads differently once written, or is written differently once read. Requires: `head` was
/// parsed completely.
std::string change_by_writing(const RequestHead& head, const RequestRewrite& rewrite);
std::string change_by_writing(const ResponseHead& head, Method method, const ResponseRewrite& rewrite);

}  // namespace holdfast::http

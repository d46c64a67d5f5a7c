// Status codes in words (RFC 9110 15 and the IANA registry).
#pragma once

#include <string_view>

namespace holdfast::http {

/// "Not Found" for 404; "Unknown" for what the registry does not know.
std::string_view reason_phrase(int status);

}  // namespace holdfast::http

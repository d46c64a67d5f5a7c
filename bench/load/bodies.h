// The bodies an origin serves, by path, and the whole answer around each. Both sides know them, so a client can tell
// whether it got all of what the origin sent.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace holdfast::bench {

/// The size of the body at "/128", "/16k" or "/1m"; none for other paths.
std::optional<std::size_t> body_bytes(std::string_view path);

/// Status line, seven fields and the body; for an unknown path a 404 with an empty body. It lives as long as the
/// program.
const std::string& answer_to(std::string_view path);

}  // namespace holdfast::bench

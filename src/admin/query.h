// What a target says beside its path: parts that are percent-encoded, numbers and durations of the query.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "admin/answer.h"
#include "base/time.h"
#include "http/head.h"

namespace holdfast::admin {

/// None where a '%' is not followed by two hexadecimal digits.
std::optional<std::string> percent_decode(std::string_view text);

// A parameter of the query; none if it is not given. Errors: 400, with the parameter and an example.

std::expected<std::optional<std::string>, Answer> text_of(const http::RequestHead& head, std::string_view name);
std::expected<std::optional<std::uint64_t>, Answer> number_of(const http::RequestHead& head, std::string_view name);
std::expected<std::optional<Duration>, Answer> duration_of(const http::RequestHead& head, std::string_view name);

/// Whether the client has what `etag` stands for already: If-None-Match, compared weakly (RFC 9110 13.1.2).
bool is_known(const http::RequestHead& head, std::string_view etag);

}  // namespace holdfast::admin

// Single values out of a head, for hash keys and stickiness. Nothing is decoded: values are compared as they were sent.
#pragma once

#include <optional>
#include <string_view>

#include "http/head.h"

namespace holdfast::http {

/// The value of the first cookie of that name in any Cookie field (RFC 6265 4.2.1); names are case-sensitive.
std::optional<std::string_view> find_cookie(const RequestHead& head, std::string_view name);

/// The value of the first query parameter of that name; "" for a parameter without '='.
std::optional<std::string_view> find_query(const RequestHead& head, std::string_view name);

}  // namespace holdfast::http

// What of a request ties it to an endpoint: the value behind a hash key, and the token of a sticky cookie.
//
// The token is what a client sees: 16 hex digits that name an endpoint without telling its address. It is stable across
// reloads and the same on every instance with the same key. A token of an endpoint that left finds nobody.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "balance/member.h"

namespace holdfast::balance {

/// The value of the cookie `name` in a Cookie field's value; the first one counts (RFC 6265, 4.2.1).
std::optional<std::string_view> cookie_value(std::string_view field, std::string_view name);

/// The value of the query parameter `name` in a request target, as it stands (no percent decoding); the first counts.
std::optional<std::string_view> query_value(std::string_view target, std::string_view name);

/// The path of a request target: up to the query.
std::string_view path_of(std::string_view target);

struct Token {
  std::array<char, 16> digits;
  std::string_view view() const { return {digits.data(), digits.size()}; }
};

Token make_token(std::uint64_t identity, std::uint64_t key);

/// The member whose token it is; none for an unknown or malformed one. Linear.
std::optional<std::uint32_t> find_token(std::span<const Member> members, std::string_view token, std::uint64_t key);

}  // namespace holdfast::balance

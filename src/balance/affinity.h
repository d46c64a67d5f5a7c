// What ties a client to an endpoint: the token of a sticky cookie.
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

struct Token {
  std::array<char, 16> digits;
  std::string_view view() const { return {digits.data(), digits.size()}; }
};

Token make_token(std::uint64_t identity, std::uint64_t key);

/// The member whose token it is; none for an unknown or malformed one. Linear.
std::optional<std::uint32_t> find_token(std::span<const Member> members, std::string_view token, std::uint64_t key);

}  // namespace holdfast::balance

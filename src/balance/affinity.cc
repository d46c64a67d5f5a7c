#include "balance/affinity.h"

#include "balance/mix.h"

namespace holdfast::balance {
Token make_token(std::uint64_t identity, std::uint64_t key) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::uint64_t number = mix(mix(identity, key), key);
  Token token{};
  for (std::size_t i = token.digits.size(); i-- > 0; number >>= 4) token.digits[i] = kDigits[number & 15];
  return token;
}

std::optional<std::uint32_t> find_token(std::span<const Member> members, std::string_view token, std::uint64_t key) {
  std::uint64_t number = 0;
  if (token.size() != Token{}.digits.size()) return std::nullopt;
  for (const char digit : token) {
    const bool decimal = digit >= '0' && digit <= '9';
    if (!decimal && (digit < 'a' || digit > 'f')) return std::nullopt;
    number = number << 4 | static_cast<std::uint64_t>(decimal ? digit - '0' : digit - 'a' + 10);
  }
  for (std::uint32_t i = 0; i < members.size(); ++i) {
    if (mix(mix(members[i].identity, key), key) == number) return i;
  }
  return std::nullopt;
}

}  // namespace holdfast::balance

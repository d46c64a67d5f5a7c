// The keys under breaker/: who writes which, and under which fence, is told in docs/formats/store.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::guard {

inline constexpr std::string_view kBreakerPrefix = "breaker/";

std::string settings_key(std::string_view name);
std::string override_key(std::string_view name);
std::string vote_key(std::string_view name, std::string_view node);
std::string voter_key(std::string_view node);
std::string state_key(std::string_view name);
std::string probe_key(std::string_view name);

struct Key {
  enum class Kind : std::uint8_t { settings, override, vote, voter, state, probe };
  Kind kind = Kind::settings;
  std::string_view name{};  ///< of the breaker: "feed->profile"; empty of a voter
  std::string_view node{};  ///< of vote and voter

  bool operator==(const Key&) const = default;
};

/// None for a key of another form: of a later version. The parts point into `key`.
std::optional<Key> parse_key(std::string_view key);

}  // namespace holdfast::guard

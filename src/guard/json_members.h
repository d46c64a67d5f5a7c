// Reading members of a JSON object that others wrote: what is missing keeps its default, what is of another type is
// wrong.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/rfc3339.h"

namespace holdfast::guard {

class JsonMembers {
 public:
  explicit JsonMembers(std::string_view text) : json_(nlohmann::json::parse(text, nullptr, false)) {
    if (!json_.is_object()) wrong_ = "it is no JSON object";
  }

  void read(const char* name, std::string& into) {
    if (const auto* found = find(name, &nlohmann::json::is_string, "no text")) into = found->get<std::string>();
  }
  void read(const char* name, bool& into) {
    if (const auto* found = find(name, &nlohmann::json::is_boolean, "neither true nor false"))
      into = found->get<bool>();
  }
  void read(const char* name, std::uint64_t& into) {
    if (const auto* found = find(name, &nlohmann::json::is_number_unsigned, "no whole number")) {
      into = found->get<std::uint64_t>();
    }
  }
  /// Units: microseconds since 1970.
  void read_time(const char* name, std::optional<std::int64_t>& into) {
    const auto* found = find(name, &nlohmann::json::is_string, "no text");
    if (found == nullptr) return;
    into = parse_rfc3339(found->get_ref<const std::string&>());
    if (!into) refuse(name, "not like 2026-01-31T12:00:00.000Z");
  }
  /// A member that is an array of whole numbers.
  void read(const char* name, std::vector<std::int64_t>& into) {
    const auto* found = find(name, &nlohmann::json::is_array, "no list");
    if (found == nullptr) return;
    for (const auto& each : *found) {
      if (!each.is_number_integer()) return refuse(name, "no list of whole numbers");
      into.push_back(each.get<std::int64_t>());
    }
  }

  void refuse(const char* name, const char* why) {
    if (wrong_.empty()) wrong_ = std::string("its ") + name + " is " + why;
  }
  const std::string& wrong() const { return wrong_; }

 private:
  using Is = bool (nlohmann::json::*)() const noexcept;

  const nlohmann::json* find(const char* name, Is is_right, const char* otherwise) {
    if (!wrong_.empty()) return nullptr;
    const auto found = json_.find(name);
    if (found == json_.end()) return nullptr;
    if (((*found).*is_right)()) return &*found;
    refuse(name, otherwise);
    return nullptr;
  }

  nlohmann::json json_;
  std::string wrong_;
};

/// JSON text; bytes that are no UTF-8 are replaced.
inline std::string write_json(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace holdfast::guard

// The words of each enumeration of the model, and those that the file's language knows but this version cannot do
// yet.
#pragma once

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "config/model.h"

namespace holdfast::config {

template <class E>
class Words {
 public:
  Words(std::initializer_list<std::pair<E, std::string_view>> words,
        std::initializer_list<std::string_view> not_yet = {})
      : later(not_yet) {
    for (const auto& [value, name] : words) {
      values_.push_back(value);
      names_.push_back(name);
    }
  }

  std::optional<E> value(std::string_view name) const {
    const auto found = std::ranges::find(names_, name);
    if (found == names_.end()) return std::nullopt;
    return values_[static_cast<std::size_t>(found - names_.begin())];
  }
  std::string_view name(E value) const {
    const auto found = std::ranges::find(values_, value);
    return names_[static_cast<std::size_t>(found - values_.begin())];
  }
  const std::vector<std::string_view>& names() const { return names_; }

  std::vector<std::string_view> later;  ///< known words, not available in this version

 private:
  std::vector<E> values_;
  std::vector<std::string_view> names_;
};

template <class E>
const Words<E>& words_of();

template <>
const Words<LogFormat>& words_of();
template <>
const Words<ListenerProtocol>& words_of();
template <>
const Words<ServiceProtocol>& words_of();
template <>
const Words<Algorithm>& words_of();
template <>
const Words<HashAlgorithm>& words_of();
template <>
const Words<AllDown>& words_of();
template <>
const Words<BreakerMode>& words_of();
template <>
const Words<Concurrency>& words_of();

}  // namespace holdfast::config

// Window: the calls of the last seconds, in slices, so that old ones leave a slice at a time and a judge can look at
// the newest ones alone.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/time.h"
#include "breaker/tally.h"

namespace holdfast::breaker {

class Window {
 public:
  static constexpr std::size_t kSlices = 100;

  explicit Window(Duration length) : length_(length) {}

  void add(const Tally& calls, Instant now);
  /// Lets go of what has become too old. A time before the newest one changes nothing.
  void advance(Instant now);
  /// Forgets everything: what was before says nothing about what comes.
  void clear();
  /// Forgets everything too.
  void set_length(Duration length);

  /// All of it, as of the newest add() or advance(). There may be more failures than calls: one that was slow counts as
  /// a call long before it fails.
  const Tally& sum() const { return sum_; }

  /// Calls `look(tally)` with the sum of the newest slice, of the two newest, and so on, until it returns true or all
  /// slices are in. Slices without calls are passed over.
  template <class Look>
  bool any_recent(Look look) const;

  std::string validate() const;
  std::string describe() const;

 private:
  Duration slice() const { return std::max<Duration>(length_ / static_cast<int>(kSlices), 1ns); }
  Tally& at(std::int64_t slice) { return slices_[static_cast<std::size_t>(slice) % kSlices]; }

  Duration length_;
  std::array<Tally, kSlices> slices_{};
  std::int64_t newest_ = 0;  ///< which slice of time, counted since the clock's beginning
  Tally sum_;
};

template <class Look>
bool Window::any_recent(Look look) const {
  Tally recent;
  for (std::size_t age = 0; age < kSlices; ++age) {
    const std::int64_t at = newest_ - static_cast<std::int64_t>(age);
    if (at < 0) break;
    const Tally& each = slices_[static_cast<std::size_t>(at) % kSlices];
    if (each.calls == 0) continue;
    recent += each;
    if (look(recent)) return true;
  }
  return false;
}

}  // namespace holdfast::breaker

// Two doubts that keep one fault from becoming everybody's.
//
// In ourselves: when much that we do fails at once, or we were not running, it is rather our doing than everybody
// else's; our vote then says so. In the whole: when much would be opened for everybody within seconds, a common cause
// is likelier than so many deaths; then nothing more is, and each node goes by what it sees itself. Source: research on
// shared breakers, section 4.3.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "base/time.h"
#include "breaker/tally.h"
#include "breaker/window.h"

namespace holdfast::guard {

/// So late a tick means that this process did not run.
inline constexpr Duration kLate = 500ms;
/// So long after it what is measured says more about us.
inline constexpr Duration kLateMatters = 5s;
/// So many breakers at least, and more than half of those with traffic, must fail at once.
inline constexpr std::size_t kSuspectMin = 3;

/// The newest calls, so many at least, show whether what fails does so on the way. They show it before a judge is sure
/// that the breaker is bad: who is cut off from everything must know it before he speaks of any one.
inline constexpr std::uint64_t kNewestCalls = 5;
/// Where nothing was called lately, it is as before.
bool says_unreachable(const breaker::Window& recent, bool before);

/// Counts, in one round over all breakers, how much fails on the way rather than at the callee.
class Suspicion {
 public:
  void add(const breaker::Tally& recent, bool is_unreachable);
  bool suspects() const { return unreachable_ >= kSuspectMin && unreachable_ * 2 > busy_; }

 private:
  std::size_t busy_ = 0;
  std::size_t unreachable_ = 0;
};

/// Breakers that all share and that were opened in the last seconds, by anybody.
class Trips {
 public:
  static constexpr Duration kMemory = 10s;
  static constexpr std::size_t kAlways = 3;
  static constexpr std::size_t kPercent = 30;

  void saw(const std::string& name, Instant now) { opened_[name] = now; }
  /// Whether one more may be: not more than kAlways, or kPercent of all there are.
  bool may_open(std::size_t all, Instant now);

 private:
  std::map<std::string, Instant> opened_;
};

}  // namespace holdfast::guard

// ConcurrencyLimit: how many requests of a service may be under way at once, found out by how long answers take.
//
// While answers take no longer than they usually do the limit grows a little with each; when they take more than half
// as long again, a queue has built up at the service, and the limit falls in that proportion. It is not touched while
// less than half of it is in use: such answers say nothing about it. One for each loop and service.
//
// Source: Netflix concurrency-limits, Gradient2 (its numbers, but for the bounds: it has 20 to 200. A limit of a loop
// is a share of one, so the least is smaller; and a proxy carries more than one process calls, so the most is larger).
#pragma once

#include <cstdint>
#include <string>

#include "base/counter.h"
#include "base/time.h"

namespace holdfast::balance {

inline constexpr double kConcurrencyStart = 20;
inline constexpr double kConcurrencyMin = 4;
inline constexpr double kConcurrencyMax = 1'000;

class ConcurrencyLimit {
 public:
  ConcurrencyLimit() { show(); }

  /// Takes a place if there is one.
  bool try_enter();
  /// Gives it back. `took`: until the answer began. `dropped`: the time for it passed, or the service refused for load;
  /// how long that took does not matter.
  /// Requires: it was taken.
  void leave(Duration took, bool dropped);
  /// Gives it back and learns nothing: the client left, or no connection was made.
  void leave_unmeasured();

  /// A reload: begins with what `before` has found out. Who is under way there stays there.
  void adopt(const ConcurrencyLimit& before);

  /// Any thread.
  unsigned limit() const { return static_cast<unsigned>(shown_.get()); }
  unsigned in_flight() const { return in_flight_; }

  std::string validate() const;
  std::string describe() const;

 private:
  void learn(Duration took, bool dropped);
  /// How many times slower than usual the answer was, turned around: 1 at most, one half at least.
  double gradient(Duration took);
  void show();

  double estimate_ = kConcurrencyStart;
  double usual_ = 0;  ///< how long answers take in the long run; nanoseconds
  unsigned samples_ = 0;
  unsigned in_flight_ = 0;
  Counter shown_;
};

}  // namespace holdfast::balance

// Meter: one loop's calls under one breaker, counted. A call in flight counts as slow at the moment it becomes slow: a
// callee that hangs is seen after slow_call, not after the time-out. Calls in flight stand in a list, oldest first, so
// that looking for those costs what is found.
//
// Only its loop writes; the keeper reads the counters from the control thread.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/cache_line.h"
#include "base/counter.h"
#include "base/pinned.h"
#include "base/time.h"
#include "breaker/gate.h"
#include "breaker/tally.h"

namespace holdfast::breaker {

enum class Outcome : std::uint8_t {
  success,
  failure,      ///< the callee answered, and badly
  unreachable,  ///< no connection, no answer
  cancelled,    ///< says nothing: the client left, or it was our own refusal
};

class Meter;

/// One call, from admission to outcome. A member of whoever makes it. One that dies before it ended was cancelled.
class Call : Pinned {
 public:
  ~Call();

  bool begun() const { return meter_ != nullptr; }

 private:
  friend class Meter;

  Meter* meter_ = nullptr;
  Call* older_ = nullptr;
  Call* younger_ = nullptr;
  Instant began_{};
  std::uint32_t generation_ = 0;
  bool probe_ = false;
  bool listed_ = false;  ///< in flight and not slow yet
  bool slow_ = false;    ///< counted as a call already, and as slow
};

class alignas(kCacheLine) Meter : Pinned {
 public:
  explicit Meter(Gate& gate) : gate_(gate) {}
  /// Requires: no call is in flight.
  ~Meter();

  /// Requires: the call has not begun.
  void begin(Call& call, const Admission& admission, Instant now);
  /// Counts the outcome, unless the breaker has taken another state since the call began.
  /// Requires: the call has begun.
  void end(Call& call, Outcome outcome, Instant now);
  void count_refusal() { refused_.add(); }

  /// Counts the calls that have become slow by now. Called now and then, and by begin() and end().
  void look_for_slow(Instant now);
  /// How long a call takes that is not slow. Any thread.
  void set_slow_call(Duration slow_call) { slow_call_.store(slow_call.count(), std::memory_order_relaxed); }
  Duration slow_call() const { return Duration(slow_call_.load(std::memory_order_relaxed)); }

  /// Any thread.
  Tally tally() const;
  std::uint32_t in_flight() const { return static_cast<std::uint32_t>(in_flight_.get()); }

 private:
  friend class Call;

  void list(Call& call);
  void unlist(Call& call);
  void count_slow(Call& call);
  void count_end(const Call& call, Outcome outcome);
  /// Takes the call out of everything, so that it may begin again.
  void let_go(Call& call);
  void cancel(Call& call);

  Gate& gate_;
  std::atomic<Duration::rep> slow_call_ = Duration::max().count();
  Call* oldest_ = nullptr;
  Call* youngest_ = nullptr;
  Counter calls_;
  Counter failures_;
  Counter unreachable_;
  Counter slow_;
  Counter refused_;
  Counter in_flight_;
};

}  // namespace holdfast::breaker

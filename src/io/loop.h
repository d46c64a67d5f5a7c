// Loop: one thread's world. Waits in epoll, carries out the socket operations that became possible, fires timers,
// resumes coroutines. Everything on a loop runs on its thread; the only door for other threads is post().
//
// What is under way goes first: whoever waits for new work to begin (a client's next request) stands in line behind it,
// and a turn lets only a few begin. So under load the requests in flight stay few, their memory and sockets stay in the
// near caches, and what was begun first is finished first (docs/performance.md has the figures).
//
// A simulated loop never waits: where nothing is ready, its clock is put forward to the next timer. The same coroutines
// live through an hour in a moment, and through the same one each time; descriptors have no place there.
//
// Start reading at run(). A descriptor is registered once, edge-triggered, for everything (io/descriptor.h).
#pragma once

#include <array>
#include <atomic>
#include <coroutine>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <sys/epoll.h>
#include <vector>

#include "base/pinned.h"
#include "base/time.h"
#include "io/timer_wheel.h"

namespace holdfast::io {

class Descriptor;

/// Reads the monotonic clock (CLOCK_MONOTONIC). Only loops and measurements call it; decisions are handed `now`.
Instant read_clock();
/// Reads CLOCK_BOOTTIME: for leases.
BootInstant read_boot_clock();
/// Microseconds since 1970 (CLOCK_REALTIME), for logs; nothing is decided by it.
std::int64_t read_wall_clock_us();

/// Makes a loop simulated.
struct SimulatedTime {
  Instant start{1h};
  BootInstant boot_start{25h};  ///< not the same: the two clocks must not be mixed up
};

class Loop : Pinned {
 public:
  Loop();
  explicit Loop(SimulatedTime time);
  ~Loop();

  /// Runs until stop(), or, simulated, until nothing is left that could happen; may be run again.
  /// Requires: always on the same thread.
  void run();

  /// One turn: waits for the next event or timer, handles what there is. False if this was a simulation's end.
  bool run_once() { return turn(); }

  /// Ends run() after the current turn. Any thread.
  void stop();

  /// Has `work` run on this loop in its next turn. Any thread; never blocks for long. Work that is still waiting when
  /// the loop dies is dropped unrun.
  void post(std::move_only_function<void()> work);

  /// The instant of this turn: read once after epoll, so that a batch costs one clock.
  Instant now() const { return now_; }
  /// Read now, a little later than the turn: for who compares with the instants of other processes.
  Instant exact_now() const;
  bool is_simulated() const { return simulated_.has_value(); }
  /// For leases: read now, not at the beginning of the turn.
  BootInstant boot_now() const;

  TimerWheel& timers() { return timers_; }

  /// Resumes `waiter` in the next turn, never from inside the caller.
  void resume_soon(std::coroutine_handle<> waiter) { ready_.push_back(waiter); }

  struct Yield {
    Loop* loop;
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiter) const { loop->resume_soon(waiter); }
    void await_resume() const {}
  };
  /// Lets everybody else have a turn: for coroutines that could otherwise go on without ever waiting.
  Yield yield() { return Yield{this}; }

 private:
  friend class Descriptor;
  struct Mailbox;

  static constexpr int kEventsPerTurn = 256;
  static constexpr int kBeginsPerTurn = 16;   ///< fewer cost turns, more let the caches overflow
  static constexpr int kEventsLookAhead = 4;  ///< descriptors fetched into the cache before their turn

  bool turn();
  bool put_clock_forward();
  void note_events();
  void stand_in_line(Descriptor& descriptor);
  void begin_some();
  void resume_ready();
  int milliseconds_to_wait() const;
  void watch(Descriptor& descriptor);
  void forget(Descriptor& descriptor);

  const std::optional<SimulatedTime> simulated_;
  int epoll_ = -1;
  Instant now_;
  TimerWheel timers_;
  std::vector<std::coroutine_handle<>> ready_;
  std::vector<std::coroutine_handle<>> resuming_;
  std::deque<Descriptor*> line_;       ///< whose work has not begun; null where one is gone
  Descriptor* dispatching_ = nullptr;  ///< whose events are being handled; null once it is gone
  int event_ = 0;
  int event_count_ = 0;
  std::array<epoll_event, kEventsPerTurn> events_;
  std::atomic<bool> stopping_ = false;
  std::unique_ptr<Mailbox> mailbox_;
};

}  // namespace holdfast::io

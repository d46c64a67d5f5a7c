// Descriptor: a file descriptor on a loop, with what is known about its readiness and who waits for it.
//
// It is registered once, for everything, edge-triggered: no epoll_ctl per request. A flag per direction remembers
// readiness; an operation that moved less than it could clears the flag, and while it is clear nobody asks the kernel.
// When an edge comes, the loop itself carries out the waiting operation and resumes its coroutine only with a result.
//
// Caution (both seen): a short read must not clear the flag once the peer has hung up, there will be no second edge;
// and a read that fills its buffer exactly leaves the flag set, so read with room to spare (docs/decisions/0003).
#pragma once

#include <coroutine>

#include "base/pinned.h"
#include "base/time.h"
#include "io/timer_wheel.h"

namespace holdfast::io {

class Loop;

/// One operation that waits: kept in its coroutine's frame while it is suspended.
class Operation {
 public:
  /// Tries again; true when it is done and its result can be read.
  using Attempt = bool (*)(Operation& operation);

  explicit Operation(Attempt attempt) : attempt_(attempt) {}

  /// Work that has not begun yet and may stand in line (Loop): what is under way goes first.
  bool begins = false;
  /// errno of the failure: ETIMEDOUT when the deadline passed, ECANCELED when the descriptor was cancelled; 0 if none.
  int error = 0;

 private:
  friend class Descriptor;
  Attempt attempt_;
  Deadline deadline_ = kNever;
  std::coroutine_handle<> waiter_;
};

class Descriptor;

/// While it lives, `tell` is called when both directions of a descriptor die, even while nobody reads or writes there:
/// for whoever waits for something else on behalf of that peer. Costs nothing until then.
/// Requires: the descriptor outlives it and has no other. `tell` may cancel descriptors; it may not destroy any.
class OnBroken : Pinned {
 public:
  using Tell = void (*)(OnBroken& self);

  OnBroken(Descriptor& descriptor, Tell tell);
  ~OnBroken();

 private:
  friend class Descriptor;
  Descriptor* descriptor_;
  Tell tell_;
};

class Descriptor : Pinned {
 public:
  enum class Direction : unsigned char { read, write };

  /// Takes over `fd`, which must be non-blocking.
  Descriptor(Loop& loop, int fd);
  ~Descriptor();

  /// The open file has other handles, here or in another process: closing ours will not end its events by itself
  /// (epoll(7), question 6).
  void file_is_shared() { file_is_shared_ = true; }

  int fd() const { return fd_; }
  Loop& loop() const { return *loop_; }

  bool maybe_readable() const { return readable_; }
  bool maybe_writable() const { return writable_; }
  /// The peer ended its direction, or both (EPOLLRDHUP, EPOLLHUP, EPOLLERR seen).
  bool peer_hung_up() const { return hung_up_; }
  /// Both directions are dead (EPOLLHUP, EPOLLERR seen).
  bool broken() const { return broken_; }
  bool cancelled() const { return cancelled_; }

  /// A read moved less than it could: wait for the next edge (unless the peer hung up: there is none).
  void drained() { readable_ = hung_up_; }
  /// A write moved less than it could.
  void filled() { writable_ = broken_; }
  /// Reads the flag and clears it: for descriptors whose every edge is answered in full.
  bool take_readable();

  /// Suspends `waiter` until `operation` is done, its deadline passes or cancel() is called.
  /// Requires: nobody waits in this direction.
  void wait(Operation& operation, Direction direction, std::coroutine_handle<> waiter, Deadline deadline);

  /// Ends every wait on this descriptor with ECANCELED, now and in future. The request to stop: the owner unwinds and
  /// closes. Waiters resume in the loop's next turn.
  void cancel();

  /// Ends the waiting read, and every later one until resume_reading(), with ECANCELED; writes go on.
  void stop_reading();
  void resume_reading() { reading_stopped_ = false; }
  bool reading_stopped() const { return reading_stopped_ || cancelled_; }

 private:
  friend class Loop;
  friend class OnBroken;

  /// What has come, without acting on it.
  void note(unsigned events);
  void on_events(unsigned events);
  void attempt(Operation*& slot);
  void begin();
  void finish(Operation*& slot, int error);
  void arm(Deadline deadline);
  static void deadline_passed(Timer& timer);

  Timer timer_;  // first: deadline_passed() finds the descriptor by it
  Loop* loop_;
  Operation* reader_ = nullptr;
  Operation* writer_ = nullptr;
  OnBroken* on_broken_ = nullptr;
  int fd_;
  bool readable_ = true;
  bool writable_ = true;
  bool hung_up_ = false;
  bool broken_ = false;
  bool cancelled_ = false;
  bool reading_stopped_ = false;
  bool file_is_shared_ = false;
  bool in_line_ = false;  ///< the loop will call begin()
};

}  // namespace holdfast::io

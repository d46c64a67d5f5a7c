// Queue: the requests that wait for a place at a busy endpoint: of all loops, and of every generation of one service,
// so that a reload leaves nobody waiting for places that are given back elsewhere.
//
// A place that is given back while somebody waits is never free for all: the claim passes, as it is, to whoever has
// waited longest among those who may use that endpoint. So a newcomer overtakes nobody, and on each loop who came first
// is served first. A place changes hands in the same locked step in which waiters leave: one that is handed to a waiter
// whose time is just up is his all the same, and leave() tells him; it is never lost.
//
// Who gives a place back while nobody waits reads one number before and after, and takes no lock. Both orders of "give
// back, look for waiters" and "become a waiter, look for places" are sequentially consistent, so one sees the other.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>

#include "base/cache_line.h"
#include "base/pinned.h"
#include "base/time.h"
#include "io/signal.h"

namespace holdfast::io {
class Loop;
}

namespace holdfast::upstream {

class Service;

class Queue : public std::enable_shared_from_this<Queue>, Pinned {
 public:
  /// At most `limit` wait at once.
  explicit Queue(std::uint32_t limit) : limit_(limit) {}

  /// One request in the queue, on the loop that serves it.
  class Waiter : Pinned {
   public:
    /// Requires: loop and service outlive it.
    Waiter(io::Loop& loop, const Service& service);
    ~Waiter();

    /// False when the queue is full. A place may have become free just before: pick once more, then wait.
    bool enter();
    /// True when there is a reason to look: a place was handed over, or a pick may succeed now. False when the deadline
    /// passed. Who looked in vain keeps his turn and waits again.
    io::Signal::Awaiter wait(Deadline deadline) { return turn_.wait(deadline); }
    /// Ends the wait so that its owner looks around; on the waiter's own loop.
    void wake() { turn_.notify(); }
    /// A place has been handed over.
    bool served() const;
    /// Leaves the queue: the endpoint whose place was handed over, if one was. That claim is owed a release.
    std::optional<std::uint32_t> leave();

   private:
    friend class Queue;
    enum class State : std::uint8_t { outside, waiting, served };

    io::Loop& loop_;
    const Service& service_;
    Queue& queue_;
    io::Signal turn_;
    // Of the queue's lock:
    State state_ = State::outside;
    std::uint32_t endpoint_ = 0;
    std::list<Waiter*>::iterator place_;
  };

  /// Gives back the claim on an endpoint of `service`, or hands it on. On `here`, the caller's own loop.
  void release(io::Loop& here, const Service& service, std::uint32_t endpoint);

  /// Has everyone who waits pick again: what takes part, or how much it may take, has changed. Any thread.
  void look_again();

  /// Of the newest configuration. Any thread.
  void set_limit(std::uint32_t limit) { limit_.store(limit, std::memory_order_relaxed); }

  /// How many wait, on all loops.
  std::uint32_t waiting() const { return count_.load(std::memory_order_seq_cst); }

 private:
  struct Next {
    Waiter* waiter = nullptr;
    std::uint32_t endpoint = 0;  ///< of the waiter's own service
  };

  // With the lock held:
  Next next_for(const Service& service, std::uint32_t endpoint) const;
  void hand_over(Next next, io::Loop& here);
  void wake_served(const io::Loop& loop);
  // Without:
  void release_late(io::Loop& here, const Service& service, std::uint32_t endpoint);

  std::atomic<std::uint32_t> limit_;
  mutable std::mutex mutex_;
  std::list<Waiter*> waiting_;  // who came first is first
  std::list<Waiter*> served_;   // have a place and have not left yet
  alignas(kCacheLine) std::atomic<std::uint32_t> count_ = 0;
};

}  // namespace holdfast::upstream

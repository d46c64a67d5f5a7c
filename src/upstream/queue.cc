#include "upstream/queue.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "balance/load.h"
#include "base/check.h"
#include "io/loop.h"
#include "upstream/service.h"

namespace holdfast::upstream {
namespace {

/// Gives the place back if the endpoint has more than its limit allows today (a reload lowered it). Exact: it never
/// leaves fewer than the limit, so no place that somebody waits for goes unnoticed.
bool release_surplus(balance::Load& load) {
  const std::uint32_t limit = load.limit.load(std::memory_order_relaxed);
  if (limit == 0) return false;
  std::uint32_t seen = load.in_flight.load(std::memory_order_relaxed);
  while (seen > limit) {
    if (load.in_flight.compare_exchange_weak(seen, seen - 1)) return true;
  }
  return false;
}

}  // namespace

// ---- who waits

Queue::Waiter::Waiter(io::Loop& loop, const Service& service)
    : loop_(loop), service_(service), queue_(service.queue()), turn_(loop) {}

Queue::Waiter::~Waiter() { check(state_ == State::outside, "a waiter leaves the queue before it goes"); }

bool Queue::Waiter::enter() {
  const std::lock_guard lock(queue_.mutex_);
  check(state_ == State::outside, "a waiter stands in the queue once");
  if (queue_.waiting_.size() >= queue_.limit_.load(std::memory_order_relaxed)) return false;
  place_ = queue_.waiting_.insert(queue_.waiting_.end(), this);
  state_ = State::waiting;
  queue_.count_.fetch_add(1, std::memory_order_seq_cst);
  return true;
}

bool Queue::Waiter::served() const {
  const std::lock_guard lock(queue_.mutex_);
  return state_ == State::served;
}

std::optional<std::uint32_t> Queue::Waiter::leave() {
  const std::lock_guard lock(queue_.mutex_);
  const State state = std::exchange(state_, State::outside);
  check(state != State::outside, "only who is in the queue leaves it");
  if (state == State::served) {
    queue_.served_.erase(place_);
    return endpoint_;
  }
  queue_.waiting_.erase(place_);
  queue_.count_.fetch_sub(1, std::memory_order_relaxed);
  return std::nullopt;
}

// ---- who gives a place back

void Queue::release(io::Loop& here, const Service& service, std::uint32_t endpoint) {
  balance::Load& load = service.endpoints()[endpoint]->load;
  if (waiting() == 0) {
    balance::release(load);
    if (waiting() != 0) release_late(here, service, endpoint);
    return;
  }
  const std::lock_guard lock(mutex_);
  if (release_surplus(load)) return;
  const Next next = next_for(service, endpoint);
  if (next.waiter == nullptr) {
    balance::release(load);
  } else {
    hand_over(next, here);
  }
}

// Somebody began to wait while we gave the place back, perhaps too early to see it.
void Queue::release_late(io::Loop& here, const Service& service, std::uint32_t endpoint) {
  const std::lock_guard lock(mutex_);
  const Next next = next_for(service, endpoint);
  if (next.waiter == nullptr || !balance::claim(service.endpoints()[endpoint]->load)) return;
  hand_over(next, here);
}

Queue::Next Queue::next_for(const Service& service, std::uint32_t endpoint) const {
  const Service* refused = nullptr;  // of one service all are refused alike
  for (Waiter* const waiter : waiting_) {
    const Service& theirs = waiter->service_;
    if (&theirs == refused) continue;
    const std::optional<std::uint32_t> index =
        &theirs == &service ? std::optional(endpoint) : theirs.index_of(*service.endpoints()[endpoint]);
    if (index && theirs.takes_part(*index)) return {waiter, *index};
    refused = &theirs;
  }
  return {};
}

void Queue::hand_over(Next next, io::Loop& here) {
  Waiter& waiter = *next.waiter;
  waiter.endpoint_ = next.endpoint;
  waiter.state_ = Waiter::State::served;
  served_.splice(served_.end(), waiting_, waiter.place_);
  count_.fetch_sub(1, std::memory_order_relaxed);
  if (&waiter.loop_ == &here) {
    wake_served(here);
    return;
  }
  // Its loop lives as long as the waiter, and that leaves only with the lock. Looked up again over there: it may have
  // found its place by itself.
  waiter.loop_.post([queue = shared_from_this(), loop = &waiter.loop_] {
    const std::lock_guard lock(queue->mutex_);
    queue->wake_served(*loop);
  });
}

void Queue::wake_served(const io::Loop& loop) {
  for (Waiter* const waiter : served_) {
    if (&waiter->loop_ == &loop) waiter->turn_.notify();
  }
}

void Queue::look_again() {
  if (waiting() == 0) return;
  const std::lock_guard lock(mutex_);
  std::vector<io::Loop*> loops;
  for (const Waiter* const waiter : waiting_) {
    if (std::ranges::find(loops, &waiter->loop_) == loops.end()) loops.push_back(&waiter->loop_);
  }
  for (io::Loop* const loop : loops) {
    loop->post([queue = shared_from_this(), loop] {
      const std::lock_guard again(queue->mutex_);
      for (Waiter* const waiter : queue->waiting_) {
        if (&waiter->loop_ == loop) waiter->turn_.notify();
      }
    });
  }
}

}  // namespace holdfast::upstream

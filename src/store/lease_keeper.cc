#include "store/lease_keeper.h"

#include <algorithm>
#include <utility>

namespace holdfast::store {
namespace {

constexpr int kParts = 3;  // it is kept alive so often in its time
constexpr Duration kGiveBackTimeout = 500ms;
constexpr Duration kPauseMin = 100ms;
constexpr Duration kPauseMax = 1s;

Duration pause_after(unsigned failures, Prng& prng) {
  const Duration pause = std::min(kPauseMin * (1U << std::min(failures, 5U)), kPauseMax);
  return pause + Duration(static_cast<Duration::rep>(prng.below(static_cast<std::uint64_t>((pause / 4).count()))));
}

}  // namespace

Duration lease_margin(Duration ttl) { return std::min<Duration>(ttl / 10, 500ms); }

LeaseKeeper::LeaseKeeper(io::Loop& loop, Store& store, Duration ttl, Hooks hooks, std::uint64_t seed)
    : loop_(loop), store_(store), ttl_(ttl), hooks_(std::move(hooks)), prng_(seed), look_(loop), tasks_(loop) {
  tasks_.add(keep());
}

LeaseKeeper::~LeaseKeeper() = default;

void LeaseKeeper::look_now() { look_.notify(); }

void LeaseKeeper::stop() {
  stop_.request();
  look_.notify();
}

io::Task<> LeaseKeeper::keep() {
  while (!stop_.requested()) {
    if (term_.id == 0) {
      co_await get();
    } else {
      const bool answered = co_await prolong();
      failures_ = answered ? 0 : failures_ + 1;
    }
    if (stop_.requested()) break;
    const Duration pause = failures_ == 0 ? term_.ttl / kParts : pause_after(failures_, prng_);
    co_await look_.wait(loop_.now() + pause);
  }
  is_told_ = false;
  if (term_.id == 0) co_return;
  const LeaseId lease = std::exchange(term_.id, 0);
  (void)co_await store_.revoke(lease, loop_.now() + kGiveBackTimeout);
}

io::Task<> LeaseKeeper::get() {
  const Result<LeaseTerm> term = co_await store_.grant(ttl_, loop_.now() + ttl_ / kParts);
  failures_ = term ? 0 : failures_ + 1;
  if (!term) co_return;
  believe(*term);
}

// One that got no answer for too long is asked for again all the same: if it is still there, it is ours still, and two
// leases of one owner would only confuse.
io::Task<bool> LeaseKeeper::prolong() {
  Duration patience = ttl_ / kParts;
  if (is_told_) patience = std::min<Duration>(patience, safe_until() - loop_.boot_now());
  const Result<LeaseTerm> term = co_await store_.keep_alive(term_.id, loop_.now() + patience);
  if (term) {
    believe(*term);
    co_return true;
  }
  if (term.error().code == Code::missing) {
    term_.id = 0;
    give_up();
    co_await get();
    co_return term_.id != 0;
  }
  if (loop_.boot_now() >= safe_until()) give_up();
  co_return false;
}

void LeaseKeeper::believe(const LeaseTerm& term) {
  const bool is_another = term.id != term_.id;
  term_ = term;
  if (!is_another && is_told_) return;
  is_told_ = true;
  if (!stop_.requested()) hooks_.held();
}

void LeaseKeeper::give_up() {
  if (!std::exchange(is_told_, false)) return;
  if (!stop_.requested()) hooks_.lost();
}

}  // namespace holdfast::store

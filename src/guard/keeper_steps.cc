// Keeper: steps that all share. One is under way for each breaker at most; after each wait the breaker is looked up
// anew, for a reload may have ended it.
#include <algorithm>
#include <utility>

#include "guard/keeper.h"
#include "guard/kept.h"
#include "store/settle.h"

namespace holdfast::guard {
namespace {

using breaker::Proposal;
using Kind = Proposal::Kind;
using store::Outcome;

constexpr Duration kStepTimeout = 3s;
constexpr Duration kGrantTimeout = 1s;
constexpr Duration kRevokeTimeout = 2s;
constexpr Duration kAwaitMax = 2s;

bool is_verdict(Kind kind) { return kind == Kind::ramp || kind == Kind::reopen || kind == Kind::release; }

}  // namespace

Author Keeper::author() const {
  return {session_ == nullptr ? std::string() : session_->node(), {loop_.now(), surroundings_.wall_us()}};
}

void Keeper::propose(Kept& kept) {
  if (session_ == nullptr || !is_in_touch_ || !session_->has_read() || kept.is_committing) return;
  // What our copy does not show yet would only be proposed again.
  if (session_->revision() < kept.await && loop_.now() < kept.await_until) return;
  const Proposal& proposal = *kept.plan.proposal;
  const Posted& posted = session_->board().of(kept.name());
  if (posted.state && !(posted.state->standing.epoch < proposal.next.epoch)) return;
  if (proposal.kind == Kind::take_probe) {
    kept.is_committing = true;
    tasks_.add(take_probe(session_, kept.name(), proposal));
    return;
  }
  if (proposal.kind == Kind::trip && !self_.may_open) return;
  if (proposal.kind == Kind::expire && posted.override_modified == 0) return;
  Deadline deadline = loop_.now() + kStepTimeout;
  if (is_verdict(proposal.kind)) {
    if (!kept.hold) return;
    const store::LeaseTerm& term = kept.hold->term;
    deadline = std::min(deadline, loop_.now() + (term.ends() - store::lease_margin(term.ttl) - loop_.boot_now()));
  }
  if (proposal.kind == Kind::trip) {
    is_opening_ = true;
    self_.may_open = false;
  }
  kept.is_committing = true;
  store::Transaction transaction = make_step(kept.name(), proposal, posted, author(), 0, prng_);
  tasks_.add(take_step(session_, kept.name(), proposal.kind, std::move(transaction), deadline));
}

io::Task<> Keeper::take_step(std::shared_ptr<Session> session, std::string name, Kind kind,
                             store::Transaction transaction, Deadline deadline) {
  store::Store& store = session->store();
  const Result<Outcome> outcome = co_await store::settle(loop_, store, std::move(transaction), deadline);
  if (kind == Kind::trip) is_opening_ = false;
  // Not only when we hear of it: a watch may be behind.
  const bool is_committed = outcome && outcome->kind == Outcome::Kind::committed;
  if (kind == Kind::trip && is_committed) trips_.saw(name, loop_.now());
  step_ended(*session, name, outcome);
  Kept* kept = find(name);
  if (kept == nullptr || !is_verdict(kind) || !kept->hold) co_return;
  // Whatever became of it: we said what we had to say. If it was not heard, somebody else may probe at once.
  const store::LeaseId lease = kept->hold->term.id;
  kept->hold.reset();
  co_await revoke(std::move(session), lease);
}

io::Task<> Keeper::take_probe(std::shared_ptr<Session> session, std::string name, Proposal proposal) {
  const Duration ttl = std::clamp(proposal.lease, store::kShortestLease, store::kLongestLease);
  const Result<store::LeaseTerm> term = co_await session->store().grant(ttl, loop_.now() + kGrantTimeout);
  Kept* kept = find(name);
  const std::optional<Proposal> now = kept == nullptr ? std::nullopt : kept->plan.proposal;
  const bool still = now && now->kind == Kind::take_probe && now->next.epoch == proposal.next.epoch;
  if (!term || !still || session != session_) {
    if (!term && session == session_) session->doubt();
    if (kept != nullptr) kept->is_committing = false;
    if (term) co_await revoke(std::move(session), term->id);
    co_return;
  }
  kept->hold = Hold{*term, true};
  const Posted& posted = session->board().of(name);
  store::Transaction transaction = make_step(name, *now, posted, author(), term->id, prng_);
  const Duration left = term->ends() - store::lease_margin(term->ttl) - loop_.boot_now();
  const Deadline deadline = loop_.now() + std::min<Duration>(kStepTimeout, left);
  store::Store& store = session->store();
  const Result<Outcome> outcome = co_await store::settle(loop_, store, std::move(transaction), deadline);
  step_ended(*session, name, outcome);
  kept = find(name);
  const bool is_ours = kept != nullptr && kept->hold && kept->hold->term.id == term->id;
  const bool is_taken = outcome && outcome->kind == Outcome::Kind::committed;
  if (is_ours && is_taken) {
    kept->hold->is_pending = false;
    co_return;
  }
  // Lost the race, or nobody knows: then it must not be done later either, which needs the lease.
  if (is_ours) kept->hold.reset();
  co_await revoke(std::move(session), term->id);
}

void Keeper::step_ended(Session& session, const std::string& name, const Result<Outcome>& outcome) {
  const bool is_known = outcome && outcome->kind != Outcome::Kind::unknown;
  if (is_known && outcome->kind == Outcome::Kind::committed) journal_.appended();
  const bool is_stopped = !outcome && outcome.error().code == Code::stopped;
  const bool lease_is_gone = !outcome && outcome.error().code == Code::missing;
  if (!is_known && !is_stopped && !lease_is_gone) session.doubt();
  wake_.notify();
  Kept* kept = find(name);
  if (kept == nullptr) return;
  kept->is_committing = false;
  kept->must_look = true;
  if (!is_known || &session != session_.get()) return;
  kept->await = outcome->revision;
  kept->await_until = loop_.now() + kAwaitMax;
}

io::Task<> Keeper::revoke(std::shared_ptr<Session> session, store::LeaseId lease) {
  (void)co_await session->store().revoke(lease, loop_.now() + kRevokeTimeout);
}

io::Task<> Keeper::end(std::shared_ptr<Session> session) {
  session->stop();
  co_await session->idle(kNever);
  if (--ending_ != 0 || !next_sharing_ || stop_.requested()) co_return;
  begin_session(std::move(*next_sharing_));
  next_sharing_.reset();
  wake_.notify();
}

}  // namespace holdfast::guard

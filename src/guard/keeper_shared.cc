// Keeper: what the store says, and what this node tells it that needs no fence: its votes, its own events.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "guard/keeper.h"
#include "guard/kept.h"
#include "guard/keys.h"

namespace holdfast::guard {
namespace {

/// What was shared longer ago than this, and is known from a file only, says nothing any more.
constexpr std::int64_t kStateOutlives_us = 24LL * 3600 * 1'000'000;

constexpr Duration kPublishTimeout = 2s;
constexpr Duration kPublishPause = 200ms;
constexpr Duration kPublishAgain = 10s;
constexpr Duration kEchoTimeout = 1s;  // by then our copy of the store has what we told it
constexpr std::size_t kVotesAtOnce = 90;

// A vote counts by its share of all calls: twice as many are another vote.
bool has_shifted(std::uint64_t before, std::uint64_t now) { return now > 2 * before || before > 2 * now; }

bool is_worth_telling(const breaker::Vote& vote) { return vote.calls != 0 || vote.opinion != breaker::Opinion::none; }

}  // namespace

void Keeper::share(Sharing sharing) {
  check(!is_shared(), "breakers are shared in one store at a time");
  if (ending_ == 0) return begin_session(std::move(sharing));
  next_sharing_ = std::move(sharing);
}

void Keeper::begin_session(Sharing sharing) {
  const auto changed = [this] {
    must_learn_ = true;
    wake_.notify();
  };
  session_ = std::make_shared<Session>(loop_, std::move(sharing), journal_, say_, changed, prng_.next());
  must_learn_ = true;
}

void Keeper::unshare() {
  next_sharing_.reset();
  if (session_ == nullptr) return;
  set_in_touch(false);
  for (auto& [name, kept] : kept_) give_back(*kept);
  ++ending_;
  tasks_.add(end(std::exchange(session_, nullptr)));
  own_events_.clear();
  is_voter_published_ = false;
  published_under_ = 0;
  withdrawn_.clear();
  for (auto& [name, kept] : kept_) {
    kept->published.reset();
    kept->state_modified.reset();
    kept->await = 0;
    if (kept->shared_override) {  // it goes on, here, until it is released here or another store has the word
      kept->local_override = std::exchange(kept->shared_override, std::nullopt);
      kept->is_inherited = true;
    }
    kept->edge.set_votes({});
    kept->edge.set_shared(std::nullopt, loop_.now());
    heed_settings(*kept);
  }
}

void Keeper::set_in_touch(bool in_touch) {
  if (std::exchange(is_in_touch_, in_touch) == in_touch) return;
  for (auto& [name, kept] : kept_) {
    kept->edge.set_in_touch(in_touch, loop_.now());
    kept->must_look = true;
  }
}

void Keeper::learn(bool is_late) {
  if (session_ == nullptr) return;
  const bool forgets = loop_.now() >= session_->board().forgets_at();
  if (std::exchange(must_learn_, false) || is_late || forgets) {
    const bool had_read = session_->has_read();
    for (const std::string& name : session_->learn(is_late)) {
      if (Kept* kept = find(name)) take_in(*kept, false);
    }
    if (!had_read && session_->has_read()) begin_from_store();
  }
  set_in_touch(session_->in_touch());
}

// The store has been read for the first time: what was known without it, from a file or from another store, counts no
// more than what stands there, or does not.
void Keeper::begin_from_store() {
  for (auto& [name, kept] : kept_) {
    if (std::exchange(kept->is_inherited, false)) {
      kept->local_override.reset();
      set_override(*kept, false);
    }
    take_in(*kept, true);
  }
}

void Keeper::take_in(Kept& kept, bool is_new) {
  const Posted& posted = session_->board().of(kept.name());
  const Clocks clocks{loop_.now(), surroundings_.wall_us()};
  heed_settings(kept);
  const bool is_live = session_->is_live() && !is_new;
  if (posted.override != kept.shared_override) {
    kept.shared_override = posted.override;
    set_override(kept, is_live);
  }
  kept.must_look = true;
  if (!session_->has_read()) return recall(kept, posted, clocks);
  if (posted.state_modified != kept.state_modified || session_->is_new_world()) {
    kept.state_modified = posted.state_modified;
    std::optional<breaker::Standing> standing;
    if (posted.state) standing = to_standing(*posted.state, clocks, is_live);
    if (is_live && standing) {
      if (is_seen_to_trip(kept, *standing)) ++kept.total;
      tell_shared(kept, *standing, *posted.state);
    }
    kept.shared_total = standing ? standing->total : 0;
    kept.edge.set_shared(std::move(standing), clocks.now);
  }
  std::vector<breaker::Vote> votes;
  for (const auto& [node, vote] : posted.votes) votes.push_back(vote);
  kept.edge.set_votes(std::move(votes));
}

// Whose own breaker is open already has counted that.
bool Keeper::is_seen_to_trip(const Kept& kept, const breaker::Standing& standing) const {
  const bool has_not_counted =
      kept.plan.shared || kept.plan.state == breaker::State::closed || kept.plan.state == breaker::State::ramp;
  return standing.total > kept.shared_total && has_not_counted;
}

// From the file of a former process, while the store cannot be read: it goes on as our own.
void Keeper::recall(Kept& kept, const Posted& posted, const Clocks& clocks) {
  if (!posted.state || clocks.wall_us - posted.state->since_us > kStateOutlives_us) return;
  kept.edge.set_in_touch(true, clocks.now);
  kept.edge.set_shared(to_standing(*posted.state, clocks, false), clocks.now);
  kept.edge.set_in_touch(false, clocks.now);
}

// One line for each step that all share, and what the guard against too many needs to know.
void Keeper::tell_shared(const Kept& kept, const breaker::Standing& standing, const StateRecord& record) {
  using breaker::State;
  std::string what = "closed for all";
  if (standing.state == State::open) what = "open for all";
  if (standing.state == State::half_open) what = "probed for all";
  if (standing.state == State::ramp) what = "ramping up for all";
  say_("breaker " + kept.name() + ": " + what + " (node " + record.by + "): " + standing.reason);
  const bool was_flowing = kept.plan.state == State::closed || kept.plan.state == State::ramp || !kept.plan.shared;
  if (standing.state == State::open && standing.total > kept.shared_total && was_flowing) {
    trips_.saw(kept.name(), loop_.now());
    if (!trips_.may_open(kept_.size(), loop_.now())) self_.may_open = false;
  }
}

// Somebody else may probe at once. Where this does not get through any more, the lease ends by itself.
void Keeper::give_back(Kept& kept) {
  if (!kept.hold) return;
  if (session_ != nullptr) tasks_.add(revoke(session_, kept.hold->term.id));
  kept.hold.reset();
}

// The power to probe is ours while the store says so and its lease surely lasts. Who cannot be sure does not probe, and
// who does not share any more has no use for it.
void Keeper::heed_hold(Kept& kept) {
  if (session_ == nullptr || !is_in_touch_) return;
  if (kept.settings.mode != breaker::Mode::enforce || !kept.settings.shared) give_back(kept);
  const Posted& posted = session_->board().of(kept.name());
  bool is_ours = false;
  if (kept.hold) {
    const store::LeaseTerm& term = kept.hold->term;
    const bool lasts = loop_.boot_now() < term.ends() - store::lease_margin(term.ttl);
    is_ours = lasts && posted.probe_created != 0 && posted.probe_lease == term.id;
    const bool is_awaited = kept.hold->is_pending || session_->revision() < kept.await;
    if (!lasts || (!is_ours && !is_awaited)) {
      if (lasts) tasks_.add(revoke(session_, term.id));
      kept.hold.reset();
    }
  }
  kept.edge.set_prober(posted.probe_created != 0, is_ours);
}

// ------------------------------------------------------------------------------------------------------ votes

bool Keeper::is_vote_due(const Kept& kept) const {
  breaker::Vote vote = kept.plan.vote;
  vote.self_suspect = self_.suspect;  // as of now, after all have been looked at
  const auto& votes = session_->board().of(kept.name()).votes;
  const auto echo = votes.find(session_->node());
  // One of ours may stand there still that could not be erased, or replaced.
  if (!kept.published) return is_worth_telling(vote) || echo != votes.end();
  const Published& published = *kept.published;
  const Duration age = loop_.now() - published.at;
  if (!is_worth_telling(vote) && !is_worth_telling(published.vote)) return age >= kEchoTimeout && echo != votes.end();
  const bool is_other = vote.opinion != published.vote.opinion || vote.self_suspect != published.vote.self_suspect ||
                        vote.epoch != published.vote.epoch || has_shifted(published.vote.calls, vote.calls);
  if (is_other || age >= kPublishAgain) return age >= kPublishPause;
  // It was put, and is not there: the lease was lost, or an older one came late.
  const bool is_there = echo != votes.end() && echo->second.epoch == vote.epoch && echo->second.opinion == vote.opinion;
  return age >= kEchoTimeout && !is_there;
}

void Keeper::publish() {
  if (session_ == nullptr || !is_in_touch_) return;
  const store::LeaseId lease = session_->lease();
  if (!own_events_.empty() && !is_sending_events_) tasks_.add(send_events(session_));
  if (lease == 0 || is_publishing_ || loop_.now() < publish_again_) return;
  if (lease != published_under_) {
    published_under_ = lease;
    is_voter_published_ = false;
    withdrawn_.clear();
    for (auto& [name, kept] : kept_) kept->published.reset();
  }
  store::Transaction transaction;
  std::vector<std::string> names;
  if (!std::exchange(is_voter_published_, true)) {
    transaction.writes.push_back(store::Write::put(voter_key(session_->node()), write_voter(session_->zone()), lease));
  }
  while (!withdrawn_.empty() && names.size() < kVotesAtOnce) {
    names.push_back(withdrawn_.extract(withdrawn_.begin()).value());
    transaction.writes.push_back(store::Write::erase(vote_key(names.back(), session_->node())));
  }
  const bool only_erases = !names.empty();  // a breaker that is back meanwhile has its turn after that
  for (auto& [name, kept] : kept_) {
    if (only_erases || names.size() == kVotesAtOnce) break;
    if (!is_vote_due(*kept)) continue;
    names.push_back(name);
    const std::string key = vote_key(name, session_->node());
    breaker::Vote vote = kept->plan.vote;
    vote.zone = session_->zone();
    vote.self_suspect = self_.suspect;
    const bool is_told = is_worth_telling(vote);
    transaction.writes.push_back(is_told ? store::Write::put(key, write_vote(vote), lease) : store::Write::erase(key));
    kept->published = Published{std::move(vote), loop_.now()};
  }
  if (transaction.writes.empty()) return;
  is_publishing_ = true;
  tasks_.add(send_votes(session_, std::move(transaction), std::move(names)));
}

io::Task<> Keeper::send_votes(std::shared_ptr<Session> session, store::Transaction transaction,
                              std::vector<std::string> names) {
  const Deadline deadline = loop_.now() + kPublishTimeout;
  Result<store::Outcome> outcome = co_await session->store().commit(std::move(transaction), deadline);
  is_publishing_ = false;
  if (session != session_) co_return;
  wake_.notify();
  if (outcome && outcome->kind == store::Outcome::Kind::committed) co_return;
  is_voter_published_ = false;
  for (const std::string& name : names) {
    if (Kept* kept = find(name)) {
      kept->published.reset();
    } else {
      withdrawn_.insert(name);
    }
  }
  publish_again_ = loop_.now() + kPublishPause;
  if (!outcome && outcome.error().code == Code::missing) {
    session->lease_is_gone();
  } else {
    session->doubt();
  }
}

// Each in a transaction of its own: the number of an event is the revision that made it.
io::Task<> Keeper::send_events(std::shared_ptr<Session> session) {
  is_sending_events_ = true;
  while (session == session_ && is_in_touch_ && !own_events_.empty()) {
    store::Transaction transaction;
    journal::Event event = std::move(own_events_.front());
    transaction.writes.push_back(write_event(event, prng_));
    own_events_.pop_front();
    const Deadline deadline = loop_.now() + kPublishTimeout;
    Result<store::Outcome> outcome = co_await session->store().commit(std::move(transaction), deadline);
    const bool is_done = outcome && outcome->kind == store::Outcome::Kind::committed;
    if (is_done) journal_.appended();
    if (!is_done) session->doubt();
    // What is surely not there is told later; what nobody knows of is not told twice.
    if (!outcome && session == session_ && own_events_.size() < kOwnEventsMax) own_events_.push_front(std::move(event));
    if (!is_done) break;
  }
  is_sending_events_ = false;
}

}  // namespace holdfast::guard

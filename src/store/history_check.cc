#include "store/history_check.h"

#include <algorithm>
#include <map>
#include <set>

namespace holdfast::store {
namespace {

using Kind = Outcome::Kind;

bool under(const std::string& prefix, const std::string& key) { return key.starts_with(prefix); }

bool only_erases(const Transaction& transaction) {
  return std::ranges::none_of(transaction.writes, [](const Write& each) { return each.kind == Write::Kind::put; });
}

// What the log says: the state at each revision, and what each revision changed.
class Replay {
 public:
  explicit Replay(const History& history) : history_(history) {
    for (const Event& event : history.log) changes_[event.record.modified].push_back(event);
    states_[history.first] = history.before;
    Records records = history.before;
    for (auto& [revision, events] : changes_) {
      std::ranges::sort(events, {}, [](const Event& event) -> const std::string& { return event.record.key; });
      play(records, events);
      states_[revision] = records;
    }
  }

  const std::map<Revision, std::vector<Event>>& changes() const { return changes_; }
  Revision last() const { return states_.rbegin()->first; }
  bool knows(Revision revision) const { return revision >= history_.first && revision <= last(); }
  const Records& state(Revision revision) const { return std::prev(states_.upper_bound(revision))->second; }
  const std::vector<Event>* change(Revision revision) const {
    const auto place = changes_.find(revision);
    return place == changes_.end() ? nullptr : &place->second;
  }

 private:
  const History& history_;
  std::map<Revision, std::vector<Event>> changes_;
  std::map<Revision, Records> states_;
};

// The highest revision that anybody had been told of before an instant.
class Known {
 public:
  void told(Instant at, Revision revision) { told_.emplace_back(at, revision); }
  void finish() {
    std::ranges::sort(told_);
    Revision highest = 0;
    for (auto& [at, revision] : told_) revision = highest = std::max(highest, revision);
  }
  Revision before(Instant instant) const {
    const auto later = std::ranges::lower_bound(told_, instant, {}, &std::pair<Instant, Revision>::first);
    return later == told_.begin() ? 0 : std::prev(later)->second;
  }
  /// When it was first known that `revision` had come; never, if it was not.
  Instant since(Revision revision) const {
    const auto first = std::ranges::lower_bound(told_, revision, {}, &std::pair<Instant, Revision>::second);
    return first == told_.end() ? Instant::max() : first->first;
  }

 private:
  std::vector<std::pair<Instant, Revision>> told_;
};

// Somebody who may have done one of these revisions, which only erased, or none of them.
struct Eraser {
  const Call* call;
  std::vector<Revision> fits;
};

class Judge {
 public:
  Judge(const History& history, Allowances allowed) : history_(history), allowed_(allowed), replay_(history) {}

  std::vector<std::string> judge() {
    check_log();
    gather();
    for (const Call& call : history_.calls) std::visit([&](const auto& seen) { judge(call, seen); }, call.what);
    for (const auto& [revision, events] : replay_.changes()) explain(revision, events);
    for (const WatchSeen& watch : history_.watches) judge(watch);
    return std::move(findings_);
  }

 private:
  void find(std::string what) {
    if (findings_.size() < kFindingsMax) findings_.push_back(std::move(what));
  }
  void find(const Call& call, const std::string& what) { find(what + ": " + describe(call)); }

  void check_log();
  void gather();
  void judge(const Call& call, const CommitSeen& seen);
  void judge(const Call& call, const ReadSeen& seen);
  void judge(const Call& call, const LeaseSeen& seen);
  void judge(const Call& call, const CompactSeen& seen);
  void judge(const WatchSeen& watch);
  void judge_committed(const Call& call, const CommitSeen& seen);
  void judge_unknown(const Call& call, const CommitSeen& seen);
  void explain(Revision revision, const std::vector<Event>& events);
  bool in_time(const Call& call, Revision revision);
  bool could_do(const Transaction& transaction, Revision revision) const;
  bool give_to(Revision revision, std::set<Revision>& tried);
  void own(const Call& call, Revision revision);
  Instant promised(LeaseId lease) const;
  bool revoking(LeaseId lease, Instant before) const;

  const History& history_;
  const Allowances allowed_;
  const Replay replay_;
  Known known_;
  std::map<std::string, Revision> put_at_;  ///< by value
  std::map<Revision, const Call*> owners_;
  std::vector<Eraser> erasers_;                ///< whoever may have erased something
  std::map<Revision, std::size_t> erased_by_;  ///< an index of erasers_
  std::map<LeaseId, Revision> last_put_with_;
  std::vector<std::string> findings_;
};

void Judge::check_log() {
  Records records = history_.before;
  std::set<std::string> values;
  Revision last = history_.first;
  for (const auto& [revision, events] : replay_.changes()) {
    if (revision != last + 1) find("log: " + std::to_string(revision) + " follows " + std::to_string(last));
    last = revision;
    for (const Event& event : events) {
      const std::string where = "log: " + event.record.key + " at " + std::to_string(revision);
      const auto standing = records.find(event.record.key);
      const bool stood = standing != records.end();
      if (event.kind == Event::Kind::erased) {
        if (!stood) find(where + " is erased, but was not there");
        continue;
      }
      const Revision created = stood ? standing->second.created : revision;
      if (event.record.created != created) find(where + " has the wrong revision of creation");
      if (!values.insert(event.record.value).second) find(where + ": " + event.record.value + " is put a second time");
      put_at_.emplace(event.record.value, revision);
      last_put_with_[event.record.lease] = revision;
    }
    play(records, events);
  }
}

void Judge::gather() {
  for (const Call& call : history_.calls) {
    if (const auto* commit = std::get_if<CommitSeen>(&call.what); commit != nullptr && commit->outcome) {
      if (commit->outcome->kind != Kind::unknown) known_.told(call.ended, commit->outcome->revision);
    }
    if (const auto* read = std::get_if<ReadSeen>(&call.what); read != nullptr && read->view) {
      known_.told(call.ended, read->view->revision);
    }
  }
  for (const WatchSeen& watch : history_.watches) {
    for (const WatchSeen::Delivery& each : watch.deliveries) known_.told(each.at, each.batch.revision);
  }
  known_.finish();
}

bool Judge::in_time(const Call& call, Revision revision) {
  const Revision least = known_.before(call.began);
  if (revision >= least) return true;
  find(call, "goes back in time, before it began somebody knew of " + std::to_string(least));
  return false;
}

// Whether the change of that revision is exactly what the transaction would have done then.
bool Judge::could_do(const Transaction& transaction, Revision revision) const {
  const std::vector<Event>* const change = replay_.change(revision);
  if (change == nullptr || revision <= history_.first) return false;
  const Records& before = replay_.state(revision - 1);
  return hold_in(before, transaction.compares) && effect_on(before, transaction.writes, revision) == *change;
}

void Judge::own(const Call& call, Revision revision) {
  const auto [place, fresh] = owners_.emplace(revision, &call);
  if (!fresh) find(call, "shares its revision with another, " + describe(*place->second));
  if (revision <= known_.before(call.began)) {
    find(call, "was done at " + std::to_string(revision) + ", which was known before it began");
  }
}

void Judge::judge(const Call& call, const CommitSeen& seen) {
  if (!seen.outcome) return;  // that it wrote nothing shows in the log: nothing is left to explain
  const Outcome& outcome = *seen.outcome;
  if (outcome.kind == Kind::unknown) return judge_unknown(call, seen);
  if (!replay_.knows(outcome.revision)) return find(call, "names a revision that is not in the log");
  if (outcome.kind == Kind::committed) return judge_committed(call, seen);
  const Records& records = replay_.state(outcome.revision);
  in_time(call, outcome.revision);
  if (hold_in(records, seen.transaction.compares)) find(call, "was refused although all compares hold");
  if (outcome.found != found_in(records, seen.transaction.compares)) find(call, "found what was not there");
}

void Judge::judge_committed(const Call& call, const CommitSeen& seen) {
  const Revision revision = seen.outcome->revision;
  const Records& records = replay_.state(revision);
  const bool could_do_it = could_do(seen.transaction, revision);
  const bool could_do_nothing =
      hold_in(records, seen.transaction.compares) && effect_on(records, seen.transaction.writes, revision).empty();
  if (!could_do_it && !could_do_nothing) return find(call, "did something else, or its compares did not hold");
  if (!could_do_nothing) return own(call, revision);
  in_time(call, revision);
  // What erases may have done this, or have come right after and found nothing left to erase.
  if (could_do_it && revision > known_.before(call.began)) erasers_.push_back({&call, {revision}});
}

// A put shows by its value. What only erases may have been any of those that erased just this.
void Judge::judge_unknown(const Call& call, const CommitSeen& seen) {
  if (only_erases(seen.transaction)) {
    Eraser eraser{&call, {}};
    for (const auto& [revision, events] : replay_.changes()) {
      if (revision > known_.before(call.began) && could_do(seen.transaction, revision)) eraser.fits.push_back(revision);
    }
    erasers_.push_back(std::move(eraser));
    return;
  }
  const auto put = std::ranges::find(seen.transaction.writes, Write::Kind::put, &Write::kind);
  const auto done = put_at_.find(put->value);
  if (done == put_at_.end()) return;
  if (!could_do(seen.transaction, done->second)) {
    return find(call, "did at " + std::to_string(done->second) + " something else, or its compares did not hold");
  }
  own(call, done->second);
}

void Judge::judge(const Call& call, const ReadSeen& seen) {
  if (!seen.view) {
    if (seen.at == 0 || seen.error != Code::stale) return;
    const bool excused = std::ranges::any_of(history_.calls, [&](const Call& other) {
      const auto* const compact = std::get_if<CompactSeen>(&other.what);
      return compact != nullptr && compact->revision > seen.at && other.began <= call.ended;
    });
    if (!excused && seen.at >= history_.first) find(call, "is stale, but nobody compacted that");
    return;
  }
  const View& view = *seen.view;
  if (view.world != history_.world) return find(call, "comes from another world");
  if (!replay_.knows(view.revision)) return find(call, "names a revision that is not in the log");
  if (seen.at == 0) {
    in_time(call, view.revision);
  } else if (view.revision != seen.at) {
    find(call, "answers for " + std::to_string(view.revision));
  }
  std::vector<Record> expected;
  for (const auto& [key, record] : replay_.state(view.revision)) {
    if (under(seen.prefix, key)) expected.push_back(record);
  }
  if (view.records != expected) find(call, "saw what was not there at that revision");
  if (seen.at == 0) return;
  for (const Call& other : history_.calls) {
    const auto* const compact = std::get_if<CompactSeen>(&other.what);
    if (compact == nullptr || compact->error || compact->revision <= seen.at || other.ended >= call.began) continue;
    return find(call, "reads what had been compacted");
  }
}

// The last instant until which anybody was ever told that the lease lives.
Instant Judge::promised(LeaseId lease) const {
  Instant until = Instant::min();
  for (const Call& call : history_.calls) {
    const auto* const seen = std::get_if<LeaseSeen>(&call.what);
    if (seen == nullptr || seen->lease != lease || seen->error || seen->kind == LeaseSeen::Kind::revoke) continue;
    until = std::max(until, seen->lives_until);
  }
  return until;
}

bool Judge::revoking(LeaseId lease, Instant before) const {
  return std::ranges::any_of(history_.calls, [&](const Call& call) {
    const auto* const seen = std::get_if<LeaseSeen>(&call.what);
    return seen != nullptr && seen->lease == lease && seen->kind == LeaseSeen::Kind::revoke && call.began <= before;
  });
}

void Judge::judge(const Call& call, const LeaseSeen& seen) {
  if (seen.kind == LeaseSeen::Kind::grant && !seen.error && seen.ttl < seen.asked) {
    find(call, "is shorter than asked for");
  }
  if (seen.kind != LeaseSeen::Kind::keep_alive || seen.error != Code::missing || allowed_.false_revoke) return;
  if (revoking(seen.lease, call.ended)) return;
  if (call.ended < promised(seen.lease)) find(call, "is gone before it may end");
}

void Judge::judge(const Call& call, const CompactSeen& seen) {
  if (!seen.error && seen.revision > replay_.last()) find(call, "compacts what is not there yet");
}

// Who did it: a transaction that said so or could not say, or the end of a lease.
void Judge::explain(Revision revision, const std::vector<Event>& events) {
  if (owners_.contains(revision)) return;
  const std::string which = "log: " + std::to_string(revision);
  if (events.front().kind == Event::Kind::put)
    return find(which + " was done by nobody: " + events.front().record.value);
  const Records& before = replay_.state(revision - 1);
  const auto first = before.find(events.front().record.key);
  const LeaseId lease = first == before.end() ? 0 : first->second.lease;
  const bool used_later = last_put_with_[lease] > revision;
  const bool lease_ended = lease != 0 && !used_later && end_of_lease(before, lease, revision) == events;
  const bool too_early = lease_ended && !allowed_.false_revoke && !revoking(lease, known_.since(revision)) &&
                         known_.since(revision) < promised(lease);
  if (lease_ended && !too_early) return;
  std::set<Revision> tried;
  if (give_to(revision, tried)) return;
  find(which + (too_early ? " ends the lease " + std::to_string(lease) + " before it may end"
                          : " was done by nobody: " + events.front().record.key + " is erased"));
}

// Finds an eraser for the revision; one that has another may have to look for another yet (augmenting paths).
bool Judge::give_to(Revision revision, std::set<Revision>& tried) {
  if (!tried.insert(revision).second) return false;
  for (std::size_t i = 0; i < erasers_.size(); ++i) {
    if (!std::ranges::binary_search(erasers_[i].fits, revision)) continue;
    const auto busy = std::ranges::find(erased_by_, i, &std::pair<const Revision, std::size_t>::second);
    if (busy != erased_by_.end()) {
      const Revision other = busy->first;
      if (!give_to(other, tried)) continue;
    }
    erased_by_[revision] = i;
    return true;
  }
  return false;
}

void Judge::judge(const WatchSeen& watch) {
  const std::string who = "watch of client " + std::to_string(watch.client) + " over \"" + watch.prefix + "\" from " +
                          std::to_string(watch.from) + ": ";
  Revision told = watch.from == 0 ? 0 : watch.from - 1;
  Revision last = 0;
  for (const WatchSeen::Delivery& delivery : watch.deliveries) {
    const Batch& batch = delivery.batch;
    // A pulse may say that time stands still.
    if (batch.revision < last || (batch.revision == last && !batch.events.empty()))
      return find(who + std::to_string(batch.revision) + " comes after " + std::to_string(last));
    if (batch.revision > replay_.last()) return find(who + std::to_string(batch.revision) + " is not in the log");
    std::vector<Event> expected;
    for (auto each = replay_.changes().upper_bound(told); each != replay_.changes().end(); ++each) {
      if (each->first > batch.revision) break;
      std::ranges::copy_if(each->second, std::back_inserter(expected),
                           [&](const Event& event) { return under(watch.prefix, event.record.key); });
    }
    std::vector<Event> events = batch.events;
    const bool in_order = std::ranges::is_sorted(events, {}, [](const Event& event) { return event.record.modified; });
    if (!in_order) return find(who + "events out of order in " + std::to_string(batch.revision));
    std::ranges::stable_sort(events, [](const Event& one, const Event& other) {
      return std::pair(one.record.modified, one.record.key) < std::pair(other.record.modified, other.record.key);
    });
    if (events != expected) {
      return find(who + "in " + std::to_string(batch.revision) + " came " + std::to_string(events.size()) +
                  " events, not the " + std::to_string(expected.size()) + " that happened after " +
                  std::to_string(told));
    }
    told = std::max(told, batch.revision);
    last = batch.revision;
  }
  if (!watch.must_be_complete) return;
  for (auto each = replay_.changes().upper_bound(told); each != replay_.changes().end(); ++each) {
    const bool concerns_it =
        std::ranges::any_of(each->second, [&](const Event& event) { return under(watch.prefix, event.record.key); });
    if (concerns_it) return find(who + "never told of " + std::to_string(each->first) + ", nor that it is stale");
  }
}

}  // namespace

std::vector<std::string> judge(const History& history, Allowances allowed) { return Judge(history, allowed).judge(); }

}  // namespace holdfast::store

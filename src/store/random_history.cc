#include "store/random_history.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/check.h"

namespace holdfast::store {
namespace {

constexpr Duration kPatience = 2s;  ///< of calls that must come right in the end
constexpr int kTriesMax = 60;

}  // namespace

struct RandomHistory::Client : Pinned {
  Client(int number_, std::unique_ptr<Store> store_) : number(number_), store(std::move(store_)) {}

  const int number;
  const std::unique_ptr<Store> store;
  std::map<std::string, Record> seen;  ///< what it last saw, by key: to compare with
  Revision revision = 0;               ///< the last it knows of
  LeaseId lease = 0;
};

RandomHistory::RandomHistory(io::Loop& loop, std::uint64_t seed, Workload workload, const Open& open,
                             const Open& witness)
    : loop_(loop), prng_(seed), workload_(workload), acting_(loop), watching_(loop) {
  for (int i = 0; i < workload_.clients + workload_.watchers; ++i) {
    clients_.push_back(std::make_unique<Client>(i, open()));
  }
  witness_ = witness();
}

RandomHistory::~RandomHistory() = default;

Duration RandomHistory::up_to(Duration most) {
  return Duration(static_cast<Duration::rep>(prng_.below(static_cast<std::uint64_t>(most.count()) + 1)));
}

Call& RandomHistory::record(const Client& client, Instant began) {
  history_.calls.push_back(Call{client.number, began, loop_.exact_now(), CompactSeen{}});
  return history_.calls.back();
}

io::Task<> RandomHistory::run(std::function<void()> heal) {
  co_await begin();
  const std::size_t acting = static_cast<std::size_t>(workload_.clients);
  const Instant until = loop_.now() + workload_.lasts;
  watching_.add(this->witness());
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    if (i < acting) {
      acting_.add(act(*clients_[i]));
    } else {
      watching_.add(watch(*clients_[i]));
    }
  }
  const bool ended = co_await acting_.join(until + 10min);
  check(ended, "clients come to an end");
  heal();
  co_await find_end();
  const bool told = co_await watching_.join(loop_.now() + 10min);
  check(told, "watchers come to an end");
  for (std::size_t i = 0; i < clients_.size(); ++i) co_await clients_[i]->store->close();
  co_await witness_->close();
}

io::Task<> RandomHistory::begin() {
  for (int tries = 0; tries < kTriesMax; ++tries) {
    const Result<View> view = co_await witness_->read("", loop_.now() + kPatience);
    if (!view) continue;
    history_.world = view->world;
    history_.first = view->revision;
    for (const Record& each : view->records) history_.before.emplace(each.key, each);
    witnessed_ = view->revision;
    for (const std::unique_ptr<Client>& each : clients_) each->revision = view->revision;
    co_return;
  }
  complaints_.emplace_back("the store cannot be read in the beginning");
}

// Requests that were late may still be on their way: the end is where it was long enough that nothing came.
io::Task<> RandomHistory::find_end() {
  Revision last = 0;
  for (int tries = 0; tries < kTriesMax; ++tries) {
    co_await io::sleep_until(loop_, loop_.now() + workload_.settles_in / 2, never_);
    const Result<View> view = co_await witness_->read("", loop_.now() + kPatience);
    if (!view) continue;
    if (std::exchange(last, view->revision) == view->revision) break;
  }
  end_ = last;
  if (end_ == 0) complaints_.emplace_back("the store cannot be read in the end");
}

io::Task<> RandomHistory::act(Ref<Client> client) {
  const Instant until = loop_.now() + workload_.lasts;
  while (loop_.now() < until || history_.calls.size() < workload_.calls_min) {
    co_await io::sleep_until(loop_, loop_.now() + up_to(workload_.pause_max), never_);
    co_await act_once(client);
  }
}

io::Task<> RandomHistory::act_once(Ref<Client> client) {
  const Deadline deadline = loop_.now() + 1ms + up_to(workload_.deadline_max);
  const std::uint64_t dice = prng_.below(20);
  if (dice < 11) {
    co_await commit(client, deadline);
  } else if (dice < 15) {
    co_await read(client, deadline);
  } else if (dice < 19 || !workload_.compacts) {
    co_await use_lease(client, deadline);
  } else {
    co_await compact(client, deadline);
  }
}

Compare RandomHistory::make_compare(Client& client, std::string key) {
  const auto seen = client.seen.find(key);
  if (seen == client.seen.end()) {
    return prng_.below(4) == 0 ? Compare::exists(std::move(key)) : Compare::absent(std::move(key));
  }
  switch (prng_.below(4)) {
    case 0: return Compare::created(std::move(key), seen->second.created);
    case 1: return Compare::value_is(std::move(key), seen->second.value);
    case 2: return Compare::exists(std::move(key));
    default: return Compare::modified(std::move(key), seen->second.modified);
  }
}

Transaction RandomHistory::make_transaction(Client& client) {
  Transaction transaction;
  for (std::uint64_t i = prng_.below(3); i > 0; --i) transaction.compares.push_back(make_compare(client, some_key()));
  if (prng_.below(12) == 0) {
    transaction.writes.push_back(Write::erase_prefix("k/"));
    return transaction;
  }
  for (std::uint64_t i = 1 + prng_.below(3); i > 0; --i) {
    std::string key = some_key();
    if (std::ranges::find(transaction.writes, key, &Write::key) != transaction.writes.end()) continue;
    if (prng_.below(4) == 0) {
      transaction.writes.push_back(Write::erase(std::move(key)));
    } else {
      const LeaseId lease = prng_.below(3) == 0 ? client.lease : 0;
      transaction.writes.push_back(Write::put(std::move(key), "v" + std::to_string(++unique_), lease));
    }
  }
  return transaction;
}

io::Task<> RandomHistory::commit(Ref<Client> client, Deadline deadline) {
  const Instant began = loop_.now();
  CommitSeen seen{make_transaction(*client), std::nullopt, Code::internal};
  Transaction transaction = seen.transaction;
  Result<Outcome> outcome = co_await client->store->commit(std::move(transaction), deadline);
  if (outcome) {
    for (const Record& each : outcome->found) client->seen.insert_or_assign(each.key, each);
    client->revision = std::max(client->revision, outcome->revision);
    seen.outcome = std::move(*outcome);
  } else {
    seen.error = outcome.error().code;
    if (seen.error == Code::missing) client->lease = 0;
  }
  record(*client, began).what = std::move(seen);
}

io::Task<> RandomHistory::read(Ref<Client> client, Deadline deadline) {
  const Instant began = loop_.now();
  const bool old = prng_.below(4) == 0;
  ReadSeen seen{prng_.below(4) == 0 ? some_key() : "k/", 0, {}, {}};
  if (old) seen.at = history_.first + prng_.below(client->revision - history_.first + 1);
  Result<View> view = co_await client->store->read(seen.prefix, seen.at, deadline);
  if (view) {
    if (!old && seen.prefix == "k/") client->seen.clear();
    for (const Record& each : view->records) client->seen.insert_or_assign(each.key, each);
    client->revision = std::max(client->revision, view->revision);
    seen.view = std::move(*view);
  } else {
    seen.error = view.error().code;
  }
  record(*client, began).what = std::move(seen);
}

io::Task<> RandomHistory::use_lease(Ref<Client> client, Deadline deadline) {
  const Instant began = loop_.now();
  LeaseSeen seen{LeaseSeen::Kind::grant, client->lease, {}, {}, {}, Instant::min()};
  if (client->lease != 0) seen.kind = prng_.below(6) == 0 ? LeaseSeen::Kind::revoke : LeaseSeen::Kind::keep_alive;
  if (seen.kind == LeaseSeen::Kind::revoke) {
    const Result<> done = co_await client->store->revoke(client->lease, deadline);
    client->lease = 0;
    if (!done) seen.error = done.error().code;
    record(*client, began).what = seen;
    co_return;
  }
  Result<LeaseTerm> term = fail(Code::internal, Side::local, "not asked");
  if (seen.kind == LeaseSeen::Kind::grant) {
    seen.asked = kShortestLease + up_to(workload_.longest_lease - kShortestLease);
    term = co_await client->store->grant(seen.asked, deadline);
  } else {
    term = co_await client->store->keep_alive(client->lease, deadline);
  }
  if (term) {
    seen.lease = client->lease = term->id;
    seen.ttl = term->ttl;
    seen.lives_until = on_our_clock(term->ends());
  } else {
    seen.error = term.error().code;
    if (seen.error == Code::missing) client->lease = 0;
  }
  record(*client, began).what = seen;
}

// Never what the witness has not seen: the log would have a hole.
io::Task<> RandomHistory::compact(Ref<Client> client, Deadline deadline) {
  const Instant began = loop_.now();
  const Revision revision = witnessed_ - std::min(witnessed_ - history_.first, prng_.below(10));
  CompactSeen seen{revision, std::nullopt};
  const Result<> done = co_await client->store->compact(revision, deadline);
  if (!done) seen.error = done.error().code;
  record(*client, began).what = seen;
}

// Reads, and watches from there; or from what it knows already.
io::Task<> RandomHistory::watch(Ref<Client> client) {
  int tries_in_the_end = 0;
  while (end_ == 0 || client->revision < end_) {
    const Instant began = loop_.now();
    ReadSeen seen{"k/", 0, {}, {}};
    Result<View> view = co_await client->store->read(seen.prefix, 0, loop_.now() + kPatience);
    if (!view) {
      if (end_ != 0 && ++tries_in_the_end == kTriesMax) {
        complaints_.emplace_back("a watcher cannot read in the end");
        co_return;
      }
      co_await io::sleep_until(loop_, loop_.now() + kPatience, never_);
      continue;
    }
    const Revision back = std::min(view->revision - history_.first, prng_.below(4));
    const Revision from = view->revision + 1 - back;
    client->revision = view->revision;
    seen.view = std::move(*view);
    record(*client, began).what = std::move(seen);
    const std::size_t number = history_.watches.size();
    history_.watches.push_back({client->number, prng_.below(4) == 0 ? some_key() : "k/", from, {}, false});
    co_await watch_once(client, number, from);
  }
}

io::Task<> RandomHistory::watch_once(Ref<Client> client, std::size_t seen, Revision from) {
  std::unique_ptr<Watch> watch = client->store->watch(history_.watches[seen].prefix, from);
  Instant since_end = kNever;
  const bool short_lived = prng_.below(3) == 0;
  const Instant until = short_lived ? loop_.now() + up_to(workload_.lasts / 4) : kNever;
  while (loop_.now() < until) {
    if (end_ != 0 && since_end == kNever) since_end = loop_.now();
    Result<Batch> batch = co_await watch->next(loop_.now() + 1s);
    WatchSeen& record = history_.watches[seen];
    if (batch) {
      client->revision = std::max(client->revision, batch->revision);
      const bool is_all = end_ != 0 && batch->revision >= end_;
      record.deliveries.push_back({loop_.exact_now(), std::move(*batch)});
      if (is_all) break;
    } else if (batch.error().code == Code::stale) {
      record.stale = true;
      break;
    } else if (since_end != kNever && loop_.now() > since_end + workload_.settles_in) {
      break;  // it may have nothing more to tell: the checker knows
    }
  }
  watch->close();
  WatchSeen& record = history_.watches[seen];
  record.must_be_complete = !record.stale && !short_lived;
  if (end_ != 0) client->revision = std::max(client->revision, end_);
}

io::Task<> RandomHistory::witness() {
  while (end_ == 0 || witnessed_ < end_) {
    std::unique_ptr<Watch> watch = witness_->watch("", witnessed_ + 1);
    while (end_ == 0 || witnessed_ < end_) {
      Result<Batch> batch = co_await watch->next(loop_.now() + 1s);
      if (!batch && batch.error().code == Code::stale) break;
      if (!batch) continue;
      std::ranges::move(batch->events, std::back_inserter(history_.log));
      witnessed_ = std::max(witnessed_, batch->revision);
    }
    watch->close();
    co_await io::sleep_until(loop_, loop_.now() + 100ms, never_);
  }
}

}  // namespace holdfast::store

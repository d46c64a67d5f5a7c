#include "store/keyspace.h"

#include <algorithm>

#include "base/check.h"

namespace holdfast::store {
namespace {

const Record* find(const Records& records, const std::string& key) {
  const auto place = records.find(key);
  return place == records.end() ? nullptr : &place->second;
}

Event erased(const std::string& key, Revision revision) {
  Event event{Event::Kind::erased, {}};
  event.record.key = key;
  event.record.modified = revision;
  return event;
}

void sort_by_key(std::vector<Event>& events) {
  std::ranges::sort(events, {}, [](const Event& event) -> const std::string& { return event.record.key; });
}

}  // namespace

bool hold_in(const Records& records, const std::vector<Compare>& compares) {
  return std::ranges::all_of(compares, [&](const Compare& each) { return holds(each, find(records, each.key)); });
}

std::vector<Record> found_in(const Records& records, const std::vector<Compare>& compares) {
  std::set<std::string> keys;
  for (const Compare& compare : compares) keys.insert(compare.key);
  std::vector<Record> found;
  for (const std::string& key : keys) {
    if (const Record* record = find(records, key); record != nullptr) found.push_back(*record);
  }
  return found;
}

std::vector<Event> effect_on(const Records& records, const std::vector<Write>& writes, Revision revision) {
  std::vector<Event> events;
  for (const Write& write : writes) {
    const Record* const standing = find(records, write.key);
    switch (write.kind) {
      case Write::Kind::put: {
        const Revision created = standing == nullptr ? revision : standing->created;
        events.push_back({Event::Kind::put, {write.key, write.value, created, revision, write.lease}});
        break;
      }
      case Write::Kind::erase:
        if (standing != nullptr) events.push_back(erased(write.key, revision));
        break;
      case Write::Kind::erase_prefix:
        for (auto each = records.lower_bound(write.key); each != records.end(); ++each) {
          if (!each->first.starts_with(write.key)) break;
          events.push_back(erased(each->first, revision));
        }
        break;
    }
  }
  sort_by_key(events);
  return events;
}

std::vector<Event> end_of_lease(const Records& records, LeaseId lease, Revision revision) {
  std::vector<Event> events;
  for (const auto& [key, record] : records) {
    if (record.lease == lease) events.push_back(erased(key, revision));
  }
  return events;
}

void play(Records& records, const std::vector<Event>& events) {
  for (const Event& event : events) {
    if (event.kind == Event::Kind::put) {
      records.insert_or_assign(event.record.key, event.record);
    } else {
      records.erase(event.record.key);
    }
  }
}

Keyspace::Keyspace(std::uint64_t world, const Keyspace& old, Revision revision)
    : world_(world), revision_(revision), compacted_(revision), records_(old.records_at(revision)) {
  check(world != old.world_, "a restored store is another world");
  for (auto& [key, record] : records_) {
    record.lease = 0;
    versions_[key].emplace(record.modified, record);
  }
}

void Keyspace::commit(std::vector<Event> events) {
  if (events.empty()) return;
  ++revision_;
  play(records_, events);
  for (const Event& event : events) {
    std::optional<Record> version;
    if (event.kind == Event::Kind::put) version = event.record;
    versions_[event.record.key].emplace(revision_, std::move(version));
  }
  log_.emplace(revision_, std::move(events));
}

Result<Outcome> Keyspace::apply(const Transaction& transaction) {
  if (!hold_in(records_, transaction.compares)) {
    return Outcome{Outcome::Kind::refused, revision_, found_in(records_, transaction.compares), {}};
  }
  for (const Write& write : transaction.writes) {
    if (write.lease != 0 && !lives(write.lease)) {
      return fail(Code::missing, Side::store, "lease " + std::to_string(write.lease) + " is gone: put " + write.key);
    }
  }
  commit(effect_on(records_, transaction.writes, revision_ + 1));
  return Outcome{Outcome::Kind::committed, revision_, {}, {}};
}

Records Keyspace::records_at(Revision revision) const {
  check(revision >= compacted_, "that revision is still known");
  check(revision <= revision_, "that revision has been");
  Records records;
  for (const auto& [key, versions] : versions_) {
    const auto later = versions.upper_bound(revision);
    if (later == versions.begin()) continue;
    if (const std::optional<Record>& version = std::prev(later)->second; version) records.emplace(key, *version);
  }
  return records;
}

Result<View> Keyspace::read(const std::string& prefix, Revision at) const {
  if (at > revision_) {
    return fail(Code::invalid, Side::store,
                "revision " + std::to_string(at) + " is not there yet, it is " + std::to_string(revision_));
  }
  if (at != 0 && at < compacted_) {
    return fail(Code::stale, Side::store, "revision " + std::to_string(at) + " is compacted");
  }
  View view{world_, at == 0 ? revision_ : at, {}};
  for (auto& [key, record] : at == 0 ? records_ : records_at(at)) {
    if (key.starts_with(prefix)) view.records.push_back(record);
  }
  return view;
}

Result<std::vector<Batch>> Keyspace::since(const std::string& prefix, Revision from) const {
  if (from < compacted_) {
    return fail(Code::stale, Side::store, "revision " + std::to_string(from) + " is compacted");
  }
  std::vector<Batch> batches;
  for (auto each = log_.lower_bound(from); each != log_.end(); ++each) {
    Batch batch{each->first, {}};
    std::ranges::copy_if(each->second, std::back_inserter(batch.events),
                         [&](const Event& event) { return event.record.key.starts_with(prefix); });
    if (!batch.events.empty()) batches.push_back(std::move(batch));
  }
  return batches;
}

void Keyspace::expire(LeaseId lease) {
  if (leases_.erase(lease) == 0) return;
  commit(end_of_lease(records_, lease, revision_ + 1));
}

Result<> Keyspace::compact(Revision revision) {
  if (revision > revision_) {
    return fail(Code::invalid, Side::store, "revision " + std::to_string(revision) + " is not there yet");
  }
  if (revision <= compacted_) return {};
  compacted_ = revision;
  log_.erase(log_.begin(), log_.lower_bound(revision));
  for (auto key = versions_.begin(); key != versions_.end();) {
    std::map<Revision, std::optional<Record>>& versions = key->second;
    // The version that stood at `revision` stays, unless it says that nothing did.
    auto standing = versions.upper_bound(revision);
    if (standing != versions.begin()) --standing;
    versions.erase(versions.begin(), standing);
    if (!versions.empty() && versions.begin()->first <= revision && !versions.begin()->second) {
      versions.erase(versions.begin());
    }
    key = versions.empty() ? versions_.erase(key) : std::next(key);
  }
  return {};
}

}  // namespace holdfast::store

#include "store/copy.h"

#include <utility>

namespace holdfast::store {

std::vector<Event> Copy::replace(View view) {
  std::map<std::string, Record, std::less<>> next;
  std::vector<Event> changes;
  for (Record& record : view.records) {
    const auto before = records_.find(record.key);
    if (before == records_.end() || before->second != record) changes.push_back({Event::Kind::put, record});
    next.emplace(record.key, std::move(record));
  }
  for (auto& [key, gone] : records_) {
    if (!next.contains(key)) changes.push_back({Event::Kind::erased, {key, {}, 0, view.revision, 0}});
  }
  records_ = std::move(next);
  known_ = true;
  world_ = view.world;
  revision_ = view.revision;
  return changes;
}

Result<> Copy::apply(const Batch& batch) {
  if (batch.revision < revision_) {
    return fail(Code::stale, Side::store,
                "revision " + std::to_string(batch.revision) + " came after " + std::to_string(revision_));
  }
  if (batch.revision == revision_ && !batch.events.empty()) {
    return fail(Code::stale, Side::store, "revision " + std::to_string(revision_) + " came twice");
  }
  for (const Event& event : batch.events) {
    if (event.kind == Event::Kind::erased) {
      records_.erase(event.record.key);
    } else {
      records_.insert_or_assign(event.record.key, event.record);
    }
  }
  revision_ = batch.revision;
  return {};
}

View Copy::view() const {
  View view{world_, revision_, {}};
  for (const auto& [key, record] : records_) view.records.push_back(record);
  return view;
}

}  // namespace holdfast::store

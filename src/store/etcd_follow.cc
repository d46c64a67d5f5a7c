#include "store/etcd_follow.h"

#include <algorithm>

namespace holdfast::store::etcd {
namespace {

Follow::Step reconnect(std::string why) { return {Follow::Step::Kind::reconnect, {}, std::move(why)}; }
Follow::Step stale(std::string why) { return {Follow::Step::Kind::stale, {}, std::move(why)}; }

}  // namespace

Follow::Step Follow::take(WatchAnswer answer) {
  if (cluster_ == 0) cluster_ = answer.header.cluster;
  if (answer.header.cluster != cluster_) return stale("the cluster is another one");
  if (answer.canceled) {
    if (answer.compacted != 0) {
      return stale("history up to revision " + std::to_string(answer.compacted) + " has been compacted");
    }
    return reconnect("etcd cancelled the watch" + (answer.reason.empty() ? "" : ": " + answer.reason));
  }
  if (!answer.events.empty()) return take_events(std::move(answer.events));
  if (answer.created || answer.header.revision <= told_) return {};
  // Nothing happened here up to this revision: etcd says so only to a watch that has all there is.
  told_ = answer.header.revision;
  return {Step::Kind::deliver, {told_, {}}, {}};
}

Follow::Step Follow::take_events(std::vector<Event> events) {
  Batch batch;
  for (Event& event : events) {
    const Revision at = event.record.modified;
    if (!event.record.key.starts_with(prefix_)) return reconnect("etcd told of a key that was not asked for");
    if (at <= told_) {
      if (at < from_ || std::ranges::find(recent_, at) != recent_.end()) continue;
      return stale("an event of revision " + std::to_string(at) + " came after revision " + std::to_string(told_));
    }
    if (at < batch.revision) return stale("the events of one message are not in order");
    event.record.key.erase(0, strip_);
    batch.revision = at;
    batch.events.push_back(std::move(event));
  }
  if (batch.events.empty()) return {};
  for (const Event& event : batch.events) remember(event);
  told_ = last_event_ = batch.revision;
  return {Step::Kind::deliver, std::move(batch), {}};
}

void Follow::remember(const Event& event) {
  const Revision at = event.record.modified;
  if (recent_.empty() || recent_.back() != at) recent_.push_back(at);
  if (recent_.size() > kRecentMax) recent_.pop_front();
  const bool erased = event.kind == Event::Kind::erased;
  if (erased || event.record.created == at) changes_.push_back({at, erased ? -1 : 1});
  if (changes_.size() > kChangesMax) {
    changes_.clear();  // nobody has asked for a long time: begin to count anew
    agreed_.reset();
  }
}

bool Follow::explains(const Standing& standing) const {
  if (standing.newest >= from_ && standing.newest > last_event_) return false;
  if (!agreed_ || standing.at < agreed_->at) return true;
  std::uint64_t count = agreed_->count;
  for (const Change& change : changes_) {
    if (change.at > agreed_->at && change.at <= standing.at) count += static_cast<std::uint64_t>(change.keys);
  }
  return count == standing.count;
}

void Follow::agree(const Standing& standing) {
  if (agreed_ && standing.at < agreed_->at) return;
  agreed_ = Agreed{standing.at, standing.count};
  while (!changes_.empty() && changes_.front().at <= standing.at) changes_.pop_front();
}

}  // namespace holdfast::store::etcd

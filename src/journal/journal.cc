#include "journal/journal.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace holdfast::journal {
namespace {

constexpr Duration kTrimTimeout = 3s;

}  // namespace

Journal::Journal(io::Loop& loop, Say say) : loop_(loop), say_(std::move(say)), tasks_(loop) {}

Journal::~Journal() = default;

void Journal::share(store::Store& store) {
  store_ = &store;
  has_learned_ = false;
  // Only one of a process's mirrors says that the store is lost; that one is not this.
  const store::Mirror::Say silent = [](const std::string&) {};
  mirror_ = std::make_unique<store::Mirror>(loop_, store, store::Mirror::Options{std::string(kEventPrefix), {}}, silent,
                                            [this](const auto&, store::Mirror::Heard) { learn(); });
}

io::Task<> Journal::unshare() {
  if (mirror_ == nullptr) co_return;
  const std::unique_ptr<store::Mirror> ending = std::exchange(mirror_, nullptr);
  store_ = nullptr;
  known_.clear();
  ending->stop();
  co_await ending->idle(kNever);
  co_await tasks_.join(kNever);
}

void Journal::append_local(Event event) {
  if (mirror_ != nullptr) return;
  event.sequence = newest_sequence() + 1;
  events_.emplace(event.sequence, std::move(event));
  while (events_.size() > kEventsMax) events_.erase(events_.begin());
  followers_.tell();
}

// Records never change, so only keys that came and went are looked at.
void Journal::learn() {
  if (mirror_ == nullptr) return;
  has_learned_ = true;
  const auto& records = mirror_->copy().records();
  if (known_.empty()) events_.clear();  // what only this process knew, or a store that was emptied
  for (auto known = known_.begin(); known != known_.end();) {
    const auto record = records.find(known->first);
    const bool stays = record != records.end() && record->second.created == known->second;
    if (!stays) events_.erase(known->second);
    known = stays ? std::next(known) : known_.erase(known);
  }
  std::size_t wrong = 0;
  for (const auto& [key, record] : records) {
    if (!known_.emplace(key, record.created).second) continue;
    Result<Event> event = parse_event(record);
    if (event) {
      events_.insert_or_assign(record.created, std::move(*event));
    } else if (wrong++ == 0) {
      say_("not shown: the record " + key + ": " + event.error().what);
    }
  }
  followers_.tell();
}

void Journal::appended() {
  if (mirror_ == nullptr || is_trimming_) return;
  const auto& records = mirror_->copy().records();
  if (records.size() <= kEventsMax + kOverflow) return;
  std::vector<std::string> oldest;  // keys begin with the time
  for (const auto& [key, record] : records) {
    if (oldest.size() == std::min(records.size() - kEventsMax, store::kWritesMax)) break;
    oldest.push_back(key);
  }
  is_trimming_ = true;
  tasks_.add(trim(std::move(oldest)));
}

// Others may do the same at the same time: erasing what is gone is nothing.
io::Task<> Journal::trim(std::vector<std::string> keys) {
  store::Transaction transaction;
  for (std::string& key : keys) transaction.writes.push_back(store::Write::erase(std::move(key)));
  store::Store& store = *store_;
  (void)co_await store.commit(std::move(transaction), loop_.now() + kTrimTimeout);
  is_trimming_ = false;
}

std::vector<Event> Journal::since(std::uint64_t sequence, std::size_t limit) const {
  std::vector<Event> found;
  for (auto each = events_.upper_bound(sequence); each != events_.end() && found.size() < limit; ++each) {
    found.push_back(each->second);
  }
  return found;
}

std::vector<Event> Journal::newest(std::size_t limit) const {
  const std::size_t count = std::min(limit, events_.size());
  auto each = std::prev(events_.end(), static_cast<std::ptrdiff_t>(count));
  std::vector<Event> found;
  for (; each != events_.end(); ++each) found.push_back(each->second);
  return found;
}

}  // namespace holdfast::journal

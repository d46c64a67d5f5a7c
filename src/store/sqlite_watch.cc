#include "store/sqlite_watch.h"

#include <algorithm>
#include <utility>

namespace holdfast::store {
namespace {

constexpr Duration kPauseAfterFailure = 100ms;

}  // namespace

void SqliteHub::close() {
  worker_ = nullptr;
  for (SqliteWatch* const watch : watches_) watch->wake_.notify();
}

void SqliteHub::tell(const Changes& changes) {
  told_ = std::max(told_, changes.to);
  for (SqliteWatch* const watch : watches_) watch->tell(changes);
}

void SqliteHub::add(SqliteWatch& watch) {
  watches_.insert(&watch);
  if (worker_ != nullptr && watches_.size() == 1) worker_->watched(true);
}

void SqliteHub::remove(SqliteWatch& watch) {
  watches_.erase(&watch);
  if (worker_ != nullptr && watches_.empty()) worker_->watched(false);
}

SqliteWatch::SqliteWatch(std::shared_ptr<SqliteHub> hub, std::string prefix, Revision from)
    : hub_(std::move(hub)), prefix_(std::move(prefix)), next_(from), wake_(hub_->loop_) {
  hub_->add(*this);
}

SqliteWatch::~SqliteWatch() { hub_->remove(*this); }

void SqliteWatch::close() {
  closed_ = true;
  wake_.notify();
  if (reading_ != nullptr && hub_->worker_ != nullptr) hub_->worker_->give_up(reading_);
}

void SqliteWatch::tell(const Changes& changes) {
  if (behind_) return;
  behind_ = next_ < changes.from || waiting_.size() >= kEventsWaitingMax;
  if (!behind_) take(changes);
  pulse_ = pulse_ || (!behind_ && changes.nothing_new());
  if (behind_ || pulse_ || !waiting_.empty()) wake_.notify();
}

void SqliteWatch::take(const Changes& changes) {
  if (next_ > changes.to) return;  // it begins later
  for (const Event& event : changes.events) {
    if (event.record.modified >= next_ && event.record.key.starts_with(prefix_)) waiting_.push_back(event);
  }
  next_ = changes.to + 1;
}

Batch SqliteWatch::hand_over() {
  const bool only_pulse = std::exchange(pulse_, false) && waiting_.empty();
  // A watch may begin later than now.
  handed_ = std::max(handed_, only_pulse ? std::min(next_ - 1, hub_->told_) : next_ - 1);
  return {handed_, std::exchange(waiting_, {})};
}

io::Task<Result<Batch>> SqliteWatch::next(Deadline deadline) {
  while (true) {
    if (ended()) co_return fail(Code::stopped, Side::store, "the watch was closed");
    if (!waiting_.empty() || pulse_) co_return hand_over();
    if (stale_) co_return fail(Code::stale, Side::store, "the history this watch needs has been compacted");
    if (behind_) {
      Result<> caught = co_await catch_up(deadline);
      if (caught) continue;
      if (caught.error().code == Code::timed_out) co_return std::unexpected(std::move(caught.error()));
    } else {
      const bool told = co_await wake_.wait(deadline);
      if (!told) co_return fail(Code::timed_out, Side::store, "nothing happened under " + prefix_);
    }
  }
}

io::Task<Result<>> SqliteWatch::catch_up(Deadline deadline) {
  reading_ = std::make_shared<Gate>();
  SqliteWorker::Work<Changes> work = [prefix = prefix_, from = next_](SqliteEngine& engine) {
    return engine.changes(prefix, from);
  };
  const Result<Changes> changes = co_await hub_->worker_->carry_out(std::move(work), reading_, deadline);
  reading_.reset();
  if (ended()) co_return Result<>{};
  if (changes) {
    take(*changes);
    // What the hub told in the meantime was not taken.
    behind_ = next_ <= hub_->told_;
    co_return Result<>{};
  }
  Error error = changes.error();
  stale_ = error.code == Code::stale;
  if (!stale_ && error.code != Code::timed_out) {
    const Deadline again = std::min(deadline, hub_->loop_.now() + kPauseAfterFailure);
    co_await wake_.wait(again);
    if (again == deadline) error.code = Code::timed_out;
  }
  co_return std::unexpected(std::move(error));
}

}  // namespace holdfast::store

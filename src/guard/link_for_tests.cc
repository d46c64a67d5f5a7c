#include "guard/link_for_tests.h"

#include <algorithm>

#include "io/signal.h"

namespace holdfast::guard {
namespace {

std::unexpected<Error> no_room() { return fail(Code::overloaded, Side::store, "the store is full"); }

std::unexpected<Error> nobody() { return fail(Code::refused, Side::store, "the way to the store is cut"); }

// Hears nothing while the way is cut.
class LinkWatch : public store::Watch {
 public:
  LinkWatch(io::Loop& loop, std::unique_ptr<store::Watch> watch, std::shared_ptr<Link> link)
      : loop_(loop), watch_(std::move(watch)), link_(std::move(link)) {}

  io::Task<Result<store::Batch>> next(Deadline deadline) override {
    Result<store::Batch> batch = co_await watch_->next(deadline);
    if (!link_->is_cut || (!batch && batch.error().code == Code::stopped)) co_return batch;
    io::Stop never;
    if (batch && deadline != kNever) co_await io::sleep_until(loop_, deadline, never);
    co_return fail(Code::stale, Side::store, "something was missed");
  }
  void close() override { watch_->close(); }

 private:
  io::Loop& loop_;
  std::unique_ptr<store::Watch> watch_;
  std::shared_ptr<Link> link_;
};

}  // namespace

bool LinkStore::is_cut() {
  ++link_->requests;
  return link_->is_cut;
}

io::Task<Result<store::View>> LinkStore::read(std::string prefix, store::Revision at, Deadline deadline) {
  if (is_cut()) co_return nobody();
  co_return co_await store_->read(std::move(prefix), at, deadline);
}

io::Task<Result<store::Outcome>> LinkStore::commit(store::Transaction transaction, Deadline deadline) {
  if (is_cut()) co_return nobody();
  if (link_->is_full) co_return no_room();
  if (link_->commits_late > 0s) {
    late_.add(send_late(std::move(transaction)));
    io::Stop never;
    co_await io::sleep_until(loop_, deadline, never);
    co_return store::Outcome{store::Outcome::Kind::unknown, 0, {}, "no answer came"};
  }
  co_return co_await store_->commit(std::move(transaction), deadline);
}

io::Task<> LinkStore::send_late(store::Transaction transaction) {
  io::Stop never;
  co_await io::sleep_until(loop_, loop_.now() + link_->commits_late, never);
  const bool is_step = std::ranges::any_of(
      transaction.writes, [](const store::Write& each) { return each.key.starts_with("breaker/state/"); });
  const Result<store::Outcome> outcome = co_await store_->commit(std::move(transaction), loop_.now() + 1s);
  const bool is_done = outcome && outcome->kind == store::Outcome::Kind::committed;
  if (is_step) ++(is_done ? link_->late_committed : link_->late_refused);
}

std::unique_ptr<store::Watch> LinkStore::watch(std::string prefix, store::Revision from) {
  return std::make_unique<LinkWatch>(loop_, store_->watch(std::move(prefix), from), link_);
}

io::Task<Result<store::LeaseTerm>> LinkStore::grant(Duration ttl, Deadline deadline) {
  if (is_cut()) co_return nobody();
  if (link_->is_full) co_return no_room();
  co_return co_await store_->grant(ttl, deadline);
}

io::Task<Result<store::LeaseTerm>> LinkStore::keep_alive(store::LeaseId lease, Deadline deadline) {
  if (is_cut()) co_return nobody();
  if (link_->is_full) co_return no_room();
  co_return co_await store_->keep_alive(lease, deadline);
}

io::Task<Result<>> LinkStore::revoke(store::LeaseId lease, Deadline deadline) {
  if (is_cut()) co_return nobody();
  co_return co_await store_->revoke(lease, deadline);
}

io::Task<Result<>> LinkStore::compact(store::Revision revision, Deadline deadline) {
  co_return co_await store_->compact(revision, deadline);
}

io::Task<Result<store::StoreStatus>> LinkStore::status(Deadline deadline) {
  co_return co_await store_->status(deadline);
}

io::Task<> LinkStore::close() {
  co_await late_.join(kNever);
  co_await store_->close();
}

}  // namespace holdfast::guard

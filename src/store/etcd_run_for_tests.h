// StoreRun: an etcd store on a loop of its own, asked as if it blocked: for tests that read from top to bottom.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "io/loop.h"
#include "io/scope.h"
#include "io/stop.h"
#include "store/etcd.h"

namespace holdfast::store {

class StoreRun : Pinned {
 public:
  explicit StoreRun(EtcdOptions options) {
    Result<std::unique_ptr<Store>> opened = open_etcd(loop_, std::move(options));
    check(opened.has_value(), "the options are right");
    store_ = std::move(*opened);
  }
  ~StoreRun() { close(); }

  Store& store() { return *store_; }
  io::Loop& loop() { return loop_; }
  Deadline in(Duration duration) { return io::read_clock() + duration; }

  /// Runs the loop until `task` has ended.
  template <class T>
  T finish(io::Task<T> task) {
    std::optional<T> value;
    io::Scope tasks(loop_);
    tasks.add(keep(std::move(task), &value));
    while (tasks.size() != 0) loop_.run_once();
    return std::move(*value);
  }
  void run_for(Duration duration) { finish(sleep(loop_, in(duration))); }

  static constexpr Duration kPatience = 10s;
  Result<View> read(std::string prefix, Revision at = 0, Duration patience = kPatience) {
    return finish(store_->read(std::move(prefix), at, in(patience)));
  }
  Result<Outcome> commit(Transaction transaction, Duration patience = kPatience) {
    return finish(store_->commit(std::move(transaction), in(patience)));
  }
  Result<LeaseTerm> grant(Duration ttl) { return finish(store_->grant(ttl, in(kPatience))); }
  Result<LeaseTerm> keep_alive(LeaseId lease) { return finish(store_->keep_alive(lease, in(kPatience))); }
  Result<> revoke(LeaseId lease) { return finish(store_->revoke(lease, in(kPatience))); }
  Result<> compact(Revision revision) { return finish(store_->compact(revision, in(kPatience))); }
  Result<StoreStatus> status() { return finish(store_->status(in(kPatience))); }
  Result<Batch> next(Watch& watch, Duration patience = kPatience) { return finish(watch.next(in(patience))); }
  /// The next batch that holds events.
  Result<Batch> next_events(Watch& watch, Duration patience = kPatience) {
    const Deadline until = in(patience);
    while (true) {
      Result<Batch> batch = finish(watch.next(until));
      if (!batch || !batch->events.empty()) return batch;
    }
  }
  void close() { finish(closed(*store_)); }

 private:
  template <class T>
  static io::Task<> keep(io::Task<T> task, std::optional<T>* into) {
    T value = co_await std::move(task);
    into->emplace(std::move(value));
  }
  static io::Task<bool> sleep(Ref<io::Loop> loop, Instant until) {
    io::Stop never;
    co_await io::sleep_until(loop, until, never);
    co_return true;
  }
  static io::Task<bool> closed(Ref<Store> store) {
    co_await store->close();
    co_return true;
  }

  io::Loop loop_;
  std::unique_ptr<Store> store_;
};

}  // namespace holdfast::store

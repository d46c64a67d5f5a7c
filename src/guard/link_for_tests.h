// LinkStore: a node's way to the store, which a test can cut, or make so slow that a transaction arrives long after its
// client has given it up: as from a machine that was stopped for a while.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "io/loop.h"
#include "io/scope.h"
#include "io/stop.h"
#include "store/store.h"

namespace holdfast::guard {

/// What the test holds of it.
struct Link {
  bool is_cut = false;
  bool is_full = false;         ///< it can be read, and takes no transactions and no leases
  Duration commits_late{};      ///< so much later than sent; their client hears nothing
  unsigned late_committed = 0;  ///< of those that are steps all share
  unsigned late_refused = 0;    ///< likewise
  unsigned requests = 0;
};

class LinkStore : public store::Store {
 public:
  LinkStore(io::Loop& loop, std::unique_ptr<store::Store> store, std::shared_ptr<Link> link)
      : loop_(loop), store_(std::move(store)), link_(std::move(link)), late_(loop) {}

  using Store::read;
  io::Task<Result<store::View>> read(std::string prefix, store::Revision at, Deadline deadline) override;
  io::Task<Result<store::Outcome>> commit(store::Transaction transaction, Deadline deadline) override;
  std::unique_ptr<store::Watch> watch(std::string prefix, store::Revision from) override;
  io::Task<Result<store::LeaseTerm>> grant(Duration ttl, Deadline deadline) override;
  io::Task<Result<store::LeaseTerm>> keep_alive(store::LeaseId lease, Deadline deadline) override;
  io::Task<Result<>> revoke(store::LeaseId lease, Deadline deadline) override;
  io::Task<Result<>> compact(store::Revision revision, Deadline deadline) override;
  io::Task<Result<store::StoreStatus>> status(Deadline deadline) override;
  io::Task<> close() override;

 private:
  bool is_cut();
  io::Task<> send_late(store::Transaction transaction);

  io::Loop& loop_;
  std::unique_ptr<store::Store> store_;
  std::shared_ptr<Link> link_;
  io::Scope late_;
};

}  // namespace holdfast::guard

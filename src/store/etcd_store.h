// EtcdStore: the face of the store over an etcd cluster (store/etcd.h).
#pragma once

#include <memory>
#include <string>

#include "io/scope.h"
#include "store/etcd.h"
#include "store/etcd_caller.h"
#include "store/etcd_watch.h"
#include "store/etcd_world.h"
#include "store/store.h"

namespace holdfast::store::etcd {

class EtcdStore : public Store {
 public:
  EtcdStore(io::Loop& loop, const EtcdOptions& options, const std::vector<client::Url>& urls,
            std::shared_ptr<const client::TlsSettings> tls)
      : loop_(loop), prefix_(options.prefix), caller_(loop, options, urls, std::move(tls)), tasks_(loop) {}

  io::Task<Result<View>> read(std::string prefix, Revision at, Deadline deadline) override;
  io::Task<Result<Outcome>> commit(Transaction transaction, Deadline deadline) override;
  std::unique_ptr<Watch> watch(std::string prefix, Revision from) override;
  io::Task<Result<LeaseTerm>> grant(Duration ttl, Deadline deadline) override;
  io::Task<Result<LeaseTerm>> keep_alive(LeaseId lease, Deadline deadline) override;
  io::Task<Result<>> revoke(LeaseId lease, Deadline deadline) override;
  io::Task<Result<>> compact(Revision revision, Deadline deadline) override;
  io::Task<Result<StoreStatus>> status(Deadline deadline) override;
  io::Task<> close() override;

 private:
  io::Task<Reply> ask(std::string path, std::string body, Deadline deadline);
  Result<View> view_of(RangeAnswer answer, Revision at) const;
  Result<Outcome> outcome_of(TransactionAnswer answer) const;

  io::Loop& loop_;
  const std::string prefix_;
  Caller caller_;
  World world_;
  std::vector<std::weak_ptr<WatchCore>> watches_;
  io::Scope tasks_;
};

}  // namespace holdfast::store::etcd

// SimulatedStore: one client of a SimulatedEngine, at the end of a way on which things get lost; and its watches. This
// is the part that masks: see simulated.h.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "io/signal.h"
#include "store/simulated.h"
#include "store/store.h"

namespace holdfast::store {

/// What a watch and the cluster share: both may end first.
struct SimulatedStream : Pinned {
  SimulatedStream(io::Loop& loop, std::string prefix_, Revision from, bool is_well_)
      : prefix(std::move(prefix_)), sent(from == 0 ? 0 : from - 1), told(sent), is_well(is_well_), arrived(loop) {}

  const std::string prefix;
  Revision sent;  ///< by the cluster
  Revision told;  ///< to the client
  const bool is_well;
  bool stalled = false;
  bool flush_planned = false;
  bool subscribed = false;
  std::deque<Batch> ready;
  std::string stale;  ///< why; empty: it is not
  bool closed = false;
  io::Signal arrived;
};

class SimulatedWatch : public Watch {
 public:
  SimulatedWatch(io::Loop& loop, std::shared_ptr<SimulatedStream> stream) : loop_(loop), stream_(std::move(stream)) {}
  ~SimulatedWatch() override { close(); }

  io::Task<Result<Batch>> next(Deadline deadline) override;
  void close() override;

 private:
  io::Loop& loop_;
  std::shared_ptr<SimulatedStream> stream_;
};

class SimulatedStore : public Store {
 public:
  SimulatedStore(io::Loop& loop, SimulatedEngine& engine, bool is_well)
      : loop_(loop), engine_(engine), is_well_(is_well), idle_(loop) {}

  using Store::read;
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
  /// How a request went: what the cluster did with it, and what its client may know of that.
  struct Fate;
  template <class T>
  struct Asked;

  Fate draw_fate(Deadline deadline);
  template <class T>
  io::Task<Result<T>> ask(std::shared_ptr<Asked<T>> asked, Deadline deadline);
  // The store may be gone before a late request arrives.
  template <class T>
  static void arrive(SimulatedEngine& engine, std::shared_ptr<Asked<T>> asked);
  template <class T>
  static void answer(SimulatedEngine& engine, std::shared_ptr<Asked<T>> asked, Result<T> result);
  template <class T>
  std::shared_ptr<Asked<T>> make(std::function<Result<T>()> serve);

  io::Loop& loop_;
  SimulatedEngine& engine_;
  const bool is_well_;
  bool closed_ = false;
  std::size_t waiting_ = 0;
  std::vector<std::weak_ptr<io::Signal>> to_wake_;
  std::vector<std::weak_ptr<SimulatedStream>> streams_;
  io::Signal idle_;
};

}  // namespace holdfast::store

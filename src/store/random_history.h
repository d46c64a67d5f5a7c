// Random histories: a few clients that do what roles do, and worse, to one store for a while, in an order that comes
// from a seed; all they see is written down for the checker. Works with every engine: time is the loop's.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/pinned.h"
#include "base/prng.h"
#include "io/loop.h"
#include "io/scope.h"
#include "io/stop.h"
#include "store/history.h"

namespace holdfast::store {

struct Workload {
  int clients = 4;
  int watchers = 3;
  int keys = 5;                 ///< few, so that they meet
  Duration lasts = 30s;         ///< at least
  std::size_t calls_min = 100;  ///< of all clients together, however slow the store is: fewer show nothing
  Duration pause_max = 400ms;   ///< of a client between two calls
  Duration deadline_max = 4s;   ///< of a call
  Duration settles_in = 30s;    ///< by then a watch has told everything, or said that it is stale
  Duration longest_lease = 5s;
  bool compacts = true;
};

class RandomHistory : Pinned {
 public:
  /// `open` makes a client; `witness` one whose watches do not fail for long.
  /// Requires: nobody else writes to the store.
  using Open = std::function<std::unique_ptr<Store>()>;
  RandomHistory(io::Loop& loop, std::uint64_t seed, Workload workload, const Open& open, const Open& witness);
  ~RandomHistory();

  /// Everything, from the first call to the last client closed. `heal` is called when the clients are done: from then
  /// on things must come right.
  io::Task<> run(std::function<void()> heal);

  const History& history() const { return history_; }
  /// What went wrong apart from the history: a watch that never told the end, a store that stayed unreachable.
  const std::vector<std::string>& complaints() const { return complaints_; }

 private:
  struct Client;

  io::Task<> begin();
  io::Task<> act(Ref<Client> client);
  io::Task<> act_once(Ref<Client> client);
  io::Task<> commit(Ref<Client> client, Deadline deadline);
  io::Task<> read(Ref<Client> client, Deadline deadline);
  io::Task<> use_lease(Ref<Client> client, Deadline deadline);
  io::Task<> compact(Ref<Client> client, Deadline deadline);
  io::Task<> watch(Ref<Client> client);
  io::Task<> watch_once(Ref<Client> client, std::size_t seen, Revision from);
  io::Task<> witness();
  io::Task<> find_end();

  Transaction make_transaction(Client& client);
  Compare make_compare(Client& client, std::string key);
  std::string some_key() { return "k/" + std::to_string(prng_.below(static_cast<std::uint64_t>(workload_.keys))); }
  Duration up_to(Duration most);
  Call& record(const Client& client, Instant began);
  Instant on_our_clock(BootInstant instant) const { return loop_.exact_now() + (instant - loop_.boot_now()); }

  io::Loop& loop_;
  Prng prng_;
  const Workload workload_;
  History history_;
  std::vector<std::string> complaints_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::unique_ptr<Store> witness_;
  Revision witnessed_ = 0;
  Revision end_ = 0;  ///< the last revision, once nobody writes any more
  std::uint64_t unique_ = 0;
  io::Stop never_;
  io::Scope acting_;
  io::Scope watching_;
};

}  // namespace holdfast::store

// Proxy: the data plane as a whole, run from one control loop: workers, listening sockets, the health keeper, the
// access log. Start reading at start() and apply(); the life of a request begins in worker.cc.
//
// All functions belong to the control loop. What workers do is posted to their loops.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/pinned.h"
#include "base/result.h"
#include "config/model.h"
#include "guard/keeper.h"
#include "io/handed_sockets.h"
#include "io/listening_socket.h"
#include "io/loop_thread.h"
#include "proxy/access_log.h"
#include "proxy/commons.h"
#include "proxy/snapshot.h"
#include "proxy/worker.h"
#include "upstream/health_keeper.h"

namespace holdfast::proxy {

class Proxy : Pinned {
 public:
  /// `tell` hears of endpoints, `say` of breakers.
  Proxy(io::Loop& control, upstream::HealthKeeper::Tell tell, guard::Keeper::Say say);
  ~Proxy();

  /// Binds everything, then starts the workers.
  /// Errors: an address that cannot be bound, a log that cannot be opened; nothing runs then.
  /// Addresses that `handed` has sockets for are not bound anew: those sockets are taken from it.
  Result<> start(config::Model model, io::HandedSockets& handed);

  /// Awaited after start() has failed, or was never called.
  io::Task<> abandon();

  /// Makes `model` the configuration of all workers. Listeners that stay keep their sockets and connections; unchanged
  /// services keep their balancers, pools and counters.
  /// Errors: as start(); the configuration of before goes on whole.
  Result<> apply(config::Model model);

  /// Stops accepting, lets requests in flight finish, cuts off what is left at the deadline, and ends the threads.
  /// Connections that wait for a request are served one more, marked as the last, until `idle_until`.
  io::Task<> drain(Deadline deadline, Instant idle_until);

  /// A second handle of every listening socket, to hand over.
  std::vector<io::NamedSocket> listening_sockets();
  /// The addresses are somebody else's now: the drain leaves no trace of them.
  void leave_addresses() { addresses_left_ = true; }

  /// For log rotation.
  void reopen_log();

  struct Bound {
    std::string listener;
    io::SocketAddress address;  ///< with the port the system chose for port 0
  };
  std::vector<Bound> bound() const;

  const std::shared_ptr<const Snapshot>& snapshot() const { return snapshot_; }
  upstream::HealthKeeper& health() { return health_; }
  /// Null before start().
  guard::Keeper* breakers() { return breakers_.get(); }
  std::size_t worker_count() const { return workers_.size(); }
  const Commons& commons() const { return commons_; }

  /// Runs `read` on the loop of every worker, one after the other, and waits: for status and metrics.
  void for_each_worker(const std::function<void(Worker&)>& read);

 private:
  /// One bound address: a socket per worker, or one that all share (Unix).
  struct Binding {
    std::string listener;
    config::Address asked;
    io::SocketAddress address;
    std::vector<io::UniqueFd> sockets;  ///< one for each worker at least, until the workers have them
  };

  struct Thread;

  Result<std::shared_ptr<const Snapshot>> make_next(config::Model model);
  Result<std::vector<Binding>> bind_new(const config::Model& model, io::HandedSockets& handed) const;
  Result<std::vector<io::UniqueFd>> open_sockets(const std::string& listener, const io::SocketAddress& address,
                                                 io::Company company, io::HandedSockets& handed) const;
  void hand_out(std::vector<Binding> fresh);

  io::Loop& control_;
  Commons commons_;
  upstream::HealthKeeper health_;
  const guard::Keeper::Say say_;
  std::unique_ptr<guard::Keeper> breakers_;
  std::unique_ptr<AccessLog> log_;
  std::vector<std::unique_ptr<Thread>> workers_;
  std::vector<Binding> bindings_;
  std::set<std::uint16_t> ports_;  ///< ever bound: sockets that were given up may take a moment to close
  bool addresses_left_ = false;
  std::shared_ptr<const Snapshot> snapshot_;
};

}  // namespace holdfast::proxy

// Worker: one loop of the data plane and everything that is its own: the connections it accepted, buffers, its side of
// each service, counters, its access-log ring. Nothing on the way of a request is shared with another worker but the
// endpoints' load counters.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/counter.h"
#include "base/pinned.h"
#include "base/prng.h"
#include "http/head.h"
#include "http/head_end.h"
#include "io/buffer_pool.h"
#include "io/listening_socket.h"
#include "io/loop.h"
#include "io/scope.h"
#include "io/stop.h"
#include "proxy/access_log.h"
#include "proxy/snapshot.h"
#include "upstream/health_keeper.h"
#include "upstream/local_service.h"

namespace holdfast::proxy {

class Session;

/// The snapshot and this loop's side of its services. Requests hold it by a pointer that only this loop counts.
struct LocalSnapshot {
  std::shared_ptr<const Snapshot> shared;
  std::vector<std::shared_ptr<upstream::LocalService>> services;  ///< as in the model
};

/// Parsed heads keep their memory from one request to the next.
struct Heads {
  http::RequestHead request;
  http::ResponseHead response;
  http::HeadEndScanner scanner;
};

/// What came in through one listener, on this loop. Kept as long as the worker, by name: a listener that a reload takes
/// away and another brings back counts on.
struct ListenerCounters {
  Counter accepted;
  Counter open;
  Counter requests;
  Counter bad_requests;
  Counter local_answers;
};

class Worker : Pinned {
 public:
  /// Requires: `health` and `log_ring` (may be null) outlive the worker.
  Worker(io::Loop& loop, unsigned number, unsigned workers, upstream::HealthKeeper& health, AccessRing* log_ring);
  ~Worker();

  // From the control thread, by posting to loop().

  void adopt(std::shared_ptr<const Snapshot> snapshot);
  void listen(const std::string& listener, const io::SocketAddress& address, io::UniqueFd socket);
  /// Serves what waits in the socket of that address, then closes it.
  void stop_listening(const io::SocketAddress& address);
  /// No connection outlives its current request from now on.
  void drain();
  /// Ends every connection that is still there.
  void cut_off();

  // On the loop.

  io::Loop& loop() { return loop_; }
  std::size_t open_sessions() const { return sessions_.size(); }
  bool draining() const { return draining_; }
  const std::shared_ptr<const LocalSnapshot>& snapshot() const { return snapshot_; }
  io::BufferPool& buffers() { return *buffers_; }
  io::Scope& tasks() { return tasks_; }
  upstream::HealthKeeper& health() { return health_; }
  AccessRing* log_ring() { return log_ring_; }
  Prng& prng() { return prng_; }

  /// Room to build a message in; whoever waits must have copied out of it.
  std::span<char> scratch() { return scratch_; }

  std::unique_ptr<Heads> take_heads();
  void return_heads(std::unique_ptr<Heads> heads);

  /// "7f3a…-00000001": unique across workers and restarts.
  std::string_view next_request_id();
  /// Microseconds since 1970, for the log alone.
  std::int64_t wall_clock_us() const { return wall_offset_us_ + loop_.now().time_since_epoch() / 1us; }

  std::list<Session*>& sessions() { return sessions_; }

  ListenerCounters& counters_of(const std::string& listener) { return counters_[listener]; }
  const std::unordered_map<std::string, ListenerCounters>& counters() const { return counters_; }
  Counter waits_when_full;  ///< times accepting paused at max_connections

 private:
  struct Door;

  io::Task<> accept_from(Ref<Door> door);
  /// This worker's part of max_connections is used up.
  bool full() const;
  void receive(Door& door, io::Accepted accepted);
  io::Task<> sweep();

  io::Loop& loop_;
  upstream::HealthKeeper& health_;
  AccessRing* log_ring_;
  Prng prng_;
  const unsigned workers_;  ///< of this proxy: each takes its part of max_connections
  std::int64_t wall_offset_us_;
  std::unique_ptr<io::BufferPool> buffers_;
  std::vector<char> scratch_;
  std::vector<std::unique_ptr<Heads>> heads_;
  std::shared_ptr<const LocalSnapshot> snapshot_;
  std::unordered_map<std::string, ListenerCounters> counters_;
  std::list<std::unique_ptr<Door>> doors_;
  std::list<Session*> sessions_;
  std::array<char, 40> request_id_{};
  std::uint64_t request_count_ = 0;
  bool draining_ = false;
  io::Stop stop_;
  io::Scope tasks_;
};

}  // namespace holdfast::proxy

// Worker: one loop of the data plane and everything that is its own: the connections it accepted, buffers, its side of
// each service, counters, its access-log ring. Nothing on the way of a request is shared with another worker but the
// endpoints' load counters.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/counter.h"
#include "base/pinned.h"
#include "base/prng.h"
#include "http/head.h"
#include "http/head_end.h"
#include "io/buffer_pool.h"
#include "io/handover.h"
#include "io/listening_socket.h"
#include "io/loop.h"
#include "io/scope.h"
#include "io/stop.h"
#include "proxy/access_log.h"
#include "proxy/commons.h"
#include "proxy/front.h"
#include "upstream/health_keeper.h"

namespace holdfast::proxy {

class Session;

/// Parsed heads keep their memory from one request to the next.
struct Heads {
  http::RequestHead request;
  http::ResponseHead response;
  http::HeadEndScanner scanner;
};

class Worker : Pinned {
 public:
  /// Requires: `commons`, `health` and `log_ring` (may be null) outlive the worker.
  Worker(io::Loop& loop, unsigned number, unsigned workers, Commons& commons, upstream::HealthKeeper& health,
         AccessRing* log_ring);
  ~Worker();

  // From the control thread, by posting to loop().

  void adopt(std::shared_ptr<const Snapshot> snapshot);
  void listen(const std::string& listener, const io::SocketAddress& address, io::UniqueFd socket);
  /// Serves what waits in the socket of that address, then closes it.
  void stop_listening(const io::SocketAddress& address);
  /// Adds a second handle of every socket that is listened on.
  void duplicate_listening(std::vector<io::NamedSocket>& into) const;
  /// No connection outlives its next answer from now on: it says `Connection: close`. Who is idle may still send a
  /// request until `idle_until`; closing at once would lose those that are on their way (RFC 9112 section 9.6).
  /// What waits in the sockets' queues is accepted still, or left to a successor who has the same sockets.
  enum class Waiting : unsigned char { accept, leave };
  void drain(Instant idle_until, Waiting waiting);
  /// Ends the connections that wait for a request although their time to do so has passed.
  void end_idle();
  /// Ends every connection that is still there.
  void cut_off();

  // On the loop.

  io::Loop& loop() { return loop_; }
  unsigned number() const { return number_; }
  std::size_t open_sessions() const { return sessions_.size(); }
  bool draining() const { return draining_; }
  /// When the connections of `front` that wait for a request are to end; kNever while all is well.
  Instant idle_until(const Front& front) const { return std::min(front.idle_until, idle_until_); }
  const std::shared_ptr<const LocalSnapshot>& snapshot() const { return snapshot_; }
  io::BufferPool& buffers() { return *buffers_; }
  Commons& commons() { return commons_; }
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

  std::vector<Session*>& sessions() { return sessions_; }

  using Fronts = std::map<std::pair<std::string, config::ListenerProtocol>, Front>;
  const Fronts& fronts() const { return fronts_; }
  Counter waits_when_full;    ///< times accepting paused at max_connections
  Counter waits_for_memory;   ///< times accepting paused because buffers ran out
  Counter waits_for_files;    ///< times accepting failed because files or the kernel's memory ran out
  Counter refused_by_memory;  ///< requests refused because buffers ran out
  Counter refused_by_files;   ///< requests refused because no file was left for a connection to an endpoint

 private:
  struct Door;

  void adopt_fronts();
  void forget_fronts();
  Front* front_of(const std::string& listener);
  io::Task<> accept_from(Ref<Door> door);
  /// This worker's part of max_connections is used up.
  bool full() const;
  bool may_accept() const { return draining_ || (!full() && !short_of_files_ && commons_.memory.open_for_newcomers()); }
  io::Task<> wait_for_room(Ref<Door> door);
  bool is_for_clients(const io::UniqueFd& file) const;
  void receive(Door& door, io::Accepted accepted);
  io::Task<> sweep();
  io::Task<> look_for_slow_calls();

  io::Loop& loop_;
  Commons& commons_;
  upstream::HealthKeeper& health_;
  AccessRing* log_ring_;
  Prng prng_;
  const unsigned number_;
  const unsigned workers_;  ///< of this proxy: each takes its part of max_connections
  std::int64_t wall_offset_us_;
  std::unique_ptr<io::BufferPool> buffers_;
  std::vector<char> scratch_;
  std::vector<std::unique_ptr<Heads>> heads_;
  std::shared_ptr<const LocalSnapshot> snapshot_;
  Fronts fronts_;
  std::list<std::unique_ptr<Door>> doors_;
  std::vector<Session*> sessions_;  ///< in no order; each knows its place
  std::array<char, 40> request_id_{};
  std::uint64_t request_count_ = 0;
  bool short_of_files_ = false;  ///< the last client took one of those that are kept
  bool draining_ = false;
  Waiting waiting_ = Waiting::accept;
  Instant idle_until_ = kNever;
  io::Stop stop_;
  io::Scope tasks_;
};

}  // namespace holdfast::proxy

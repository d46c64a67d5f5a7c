// EtcdWatch: a watch and the two tasks behind it: one reads the stream, and opens another when it breaks; one asks the
// cluster now and then whether the stream told everything (store/etcd_follow.h judges both).
//
// What they share is a WatchCore, which the tasks keep alive: the watch itself may go at any time.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "io/scope.h"
#include "io/signal.h"
#include "store/etcd_caller.h"
#include "store/etcd_follow.h"
#include "store/etcd_world.h"
#include "store/store.h"

namespace holdfast::store::etcd {

inline constexpr Duration kStreamOpenMax = 2s;  ///< until etcd says that the watch has been made
inline constexpr Duration kStreamPause = 50ms;  ///< before another stream is opened
inline constexpr Duration kProbeEvery = kPulse;
inline constexpr Duration kProbeMax = 2s;
inline constexpr Duration kProbeGrace = 500ms;  ///< what was committed before a probe must have come by then
inline constexpr int kStrikesMax = 3;           ///< streams that miss something, one after another: read again
/// What waits for its reader; beyond, nothing is read and etcd waits.
inline constexpr std::size_t kWaitingEventsMax = 10'000;
inline constexpr std::size_t kMessageBytesMax = std::size_t{64} * 1024 * 1024;

class WatchCore : public Pinned {
 public:
  WatchCore(io::Loop& loop, Follow follow_, std::uint64_t world_)
      : follow(std::move(follow_)), world(world_), came(loop), room(loop) {}

  bool full() const { return waiting_events >= kWaitingEventsMax; }
  bool ended() const { return stop.requested(); }
  /// Nothing comes any more; what waits is still delivered, unless it was stopped.
  void end(Code code, std::string why);
  void deliver(Batch batch);

  Follow follow;
  std::uint64_t world;  ///< 0: not known yet
  client::Incoming* stream = nullptr;
  std::size_t endpoint = 0;  ///< of the stream
  std::deque<Batch> waiting;
  std::size_t waiting_events = 0;
  Error ending;
  io::Signal came;  ///< something waits, or it has ended
  io::Signal room;  ///< there is room again, or it has ended
  io::Stop stop;
};

class EtcdWatch : public Watch {
 public:
  explicit EtcdWatch(std::shared_ptr<WatchCore> core) : core_(std::move(core)) {}
  ~EtcdWatch() override { EtcdWatch::close(); }

  io::Task<Result<Batch>> next(Deadline deadline) override;
  void close() override { core_->end(Code::stopped, "the watch is closed"); }

 private:
  std::shared_ptr<WatchCore> core_;
};

/// Reads streams until the core ends.
io::Task<> read_streams(Ref<io::Loop> loop, Ref<Caller> caller, std::shared_ptr<WatchCore> core);
/// Asks the cluster what the stream must have told, until the core ends.
io::Task<> probe_often(Ref<io::Loop> loop, Ref<Caller> caller, Ref<World> world, std::shared_ptr<WatchCore> core);

}  // namespace holdfast::store::etcd

// SimulatedEngine: a small cluster in simulated time that is as bad as etcd 3.4 is known to be. It holds the records,
// and is lost, full, slow and forgetful as its seed says; clients meet in it (connect()).
//
// What a client of ours has to make good is made good here too, as store/etcd.h does: a watch that misses or repeats
// something says so or hides it, what was sent and not answered is unknown. So store.h holds of a SimulatedStore, with
// one exception that no client can help: Faults::false_revoke.
//
// With a Breakage it does not hold: that is for testing the tests.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/pinned.h"
#include "base/prng.h"
#include "store/keyspace.h"
#include "store/simulated_agenda.h"
#include "store/simulated_faults.h"
#include "store/store.h"

namespace holdfast::io {
class Loop;
}

namespace holdfast::store {

struct SimulatedStream;

class SimulatedEngine : public Pinned {
 public:
  /// Requires: `loop` is simulated.
  SimulatedEngine(io::Loop& loop, std::uint64_t seed, Faults faults = {}, Breakage breakage = Breakage::none);
  ~SimulatedEngine();

  /// A client. The engine must outlive it; its watches may outlive both.
  std::unique_ptr<Store> connect();
  /// A client whose way to the cluster has no faults, and which sees nothing broken.
  std::unique_ptr<Store> connect_well();

  /// From now on these go wrong.
  void suffer(const Faults& faults);
  /// From now on nothing goes wrong; what was lost or stalled stays so.
  void heal();
  /// Puts an old copy in place of the store: another world, with a lower revision. Watches are stale.
  /// Requires: `revision` is known and not compacted.
  void restore(Revision revision);

  const Keyspace& keyspace() const { return *keyspace_; }
  const Happened& happened() const { return happened_; }
  /// A hash over all that came to pass: the same for the same seed.
  std::uint64_t digest() const { return digest_; }

 private:
  friend class SimulatedStore;  // stands for the network between them

  struct Lease {
    Duration ttl{};
    Instant expires;
  };
  enum class Leader : unsigned char { there, gone };

  bool chance(double probability) { return probability > 0 && prng_.uniform() < probability; }
  Duration between(Duration least, Duration most);
  Duration latency(double slow);
  void note(std::string_view what);

  void tick();
  void lose_leader();
  void find_leader();
  void end_leases();
  void end_all_leases();
  void end_lease(LeaseId lease);
  void changed();

  // What the cluster answers. Each is called when the request has arrived and there is a leader.
  Result<Outcome> commit(const Transaction& transaction, bool is_well);
  Result<View> read(const std::string& prefix, Revision at, bool is_well);
  Result<LeaseTerm> grant(Duration ttl, BootInstant since);
  Result<LeaseTerm> keep_alive(LeaseId lease, BootInstant since);
  std::optional<LeaseTerm> ask_deposed_leader(LeaseId lease, BootInstant since);
  Result<> revoke(LeaseId lease);

  void subscribe(std::shared_ptr<SimulatedStream> stream);
  void plan_flush(const std::shared_ptr<SimulatedStream>& stream);
  void flush(const std::shared_ptr<SimulatedStream>& stream);
  void send(const std::shared_ptr<SimulatedStream>& stream, Batch batch);
  void receive(SimulatedStream& stream, Revision after, Batch batch);
  void receive_broken(SimulatedStream& stream, Batch batch);
  void end_stale(SimulatedStream& stream, const std::string& why);

  io::Loop& loop_;
  Prng prng_;
  Faults faults_;
  Breakage breakage_;
  Happened happened_;
  std::uint64_t digest_ = 0;
  std::unique_ptr<Keyspace> keyspace_;
  std::map<LeaseId, Lease> leases_;
  LeaseId last_lease_ = 1000;
  Leader leader_ = Leader::there;
  Instant deposed_until_{};  ///< so long one that leads no longer may still answer
  Instant full_until_{};
  std::vector<std::weak_ptr<SimulatedStream>> streams_;
  Agenda agenda_;  // last: what is planned knows the others
};

}  // namespace holdfast::store

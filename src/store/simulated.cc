#include "store/simulated.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "io/loop.h"
#include "store/simulated_client.h"

namespace holdfast::store {
namespace {

constexpr Duration kTick = 500ms;  ///< how often etcd looks for leases that have ended
constexpr Duration kElection = 1s;
constexpr Duration kShortestTtl = 2s;
constexpr Duration kSlowest = 3s;
constexpr Duration kLeaderlessMax = 8s;
constexpr Duration kFullMax = 5s;
/// How long a watch may be silent before its client asks whether something happened.
constexpr Duration kSilence = 5s;

bool puts_something(const Transaction& transaction) {
  return std::ranges::any_of(transaction.writes, [](const Write& each) { return each.kind == Write::Kind::put; });
}

}  // namespace

SimulatedEngine::SimulatedEngine(io::Loop& loop, std::uint64_t seed, Faults faults, Breakage breakage)
    : loop_(loop), prng_(seed), faults_(faults), breakage_(breakage), agenda_(loop) {
  keyspace_ = std::make_unique<Keyspace>(prng_.next() | 1U);
  agenda_.plan_in(kTick, [this] { tick(); });
}

SimulatedEngine::~SimulatedEngine() = default;

std::unique_ptr<Store> SimulatedEngine::connect() { return std::make_unique<SimulatedStore>(loop_, *this, false); }

std::unique_ptr<Store> SimulatedEngine::connect_well() { return std::make_unique<SimulatedStore>(loop_, *this, true); }

void SimulatedEngine::suffer(const Faults& faults) { faults_ = faults; }

void SimulatedEngine::heal() {
  faults_ = {};
  full_until_ = {};
}

void SimulatedEngine::restore(Revision revision) {
  ++happened_.restores;
  note("restore");
  keyspace_ = std::make_unique<Keyspace>(prng_.next() | 1U, *keyspace_, revision);
  leases_.clear();
  for (const std::weak_ptr<SimulatedStream>& each : streams_) {
    if (const auto stream = each.lock()) end_stale(*stream, "the store was restored");
  }
}

Duration SimulatedEngine::between(Duration least, Duration most) {
  return least + Duration(static_cast<Duration::rep>(prng_.below(static_cast<std::uint64_t>((most - least).count()))));
}

Duration SimulatedEngine::latency(double slow) { return chance(slow) ? between(3ms, kSlowest) : between(500us, 3ms); }

void SimulatedEngine::note(std::string_view what) {
  const auto now = static_cast<std::uint64_t>(loop_.now().time_since_epoch().count());
  digest_ = hash64(what, digest_ ^ now ^ (keyspace_->revision() << 48));
}

void SimulatedEngine::tick() {
  agenda_.plan_in(kTick, [this] { tick(); });
  if (leader_ == Leader::gone) return;
  if (chance(faults_.full)) full_until_ = loop_.now() + between(kTick, kFullMax);
  if (chance(faults_.false_revoke)) end_all_leases();
  end_leases();
  if (chance(faults_.leader_lost)) lose_leader();
}

void SimulatedEngine::lose_leader() {
  note("no leader");
  ++happened_.leader_changes;
  leader_ = Leader::gone;
  deposed_until_ = loop_.now() + kElection;
  agenda_.plan_in(between(kElection, kLeaderlessMax), [this] { find_leader(); });
}

// The new leader does not know when leases were kept alive: all begin anew, and an election longer.
void SimulatedEngine::find_leader() {
  leader_ = Leader::there;
  for (auto& [id, lease] : leases_) lease.expires = loop_.now() + lease.ttl + kElection;
}

void SimulatedEngine::end_leases() {
  std::vector<LeaseId> ended;
  for (const auto& [id, lease] : leases_) {
    const Duration too_early = breakage_ == Breakage::early_lease_end ? lease.ttl / 2 : 0s;
    if (lease.expires - too_early <= loop_.now() && !chance(faults_.late_revoke)) ended.push_back(id);
  }
  for (const LeaseId lease : ended) end_lease(lease);
  happened_.lease_ends += static_cast<unsigned>(ended.size());
}

void SimulatedEngine::end_all_leases() {
  if (!leases_.empty()) ++happened_.false_revokes;
  while (!leases_.empty()) end_lease(leases_.begin()->first);
}

void SimulatedEngine::end_lease(LeaseId lease) {
  note("lease ends");
  leases_.erase(lease);
  const std::vector<Event> events = end_of_lease(keyspace_->records(), lease, 0);
  if (breakage_ == Breakage::partial_lease_end && events.size() > 1) {
    (void)keyspace_->apply({{}, {Write::erase(events.front().record.key)}});
    changed();
  }
  keyspace_->expire(lease);
  changed();
}

void SimulatedEngine::changed() {
  std::erase_if(streams_, [](const std::weak_ptr<SimulatedStream>& each) { return each.expired(); });
  for (const std::weak_ptr<SimulatedStream>& each : streams_) {
    if (const auto stream = each.lock()) plan_flush(stream);
  }
}

Result<Outcome> SimulatedEngine::commit(const Transaction& transaction, bool is_well) {
  if (loop_.now() < full_until_ && puts_something(transaction)) {
    ++happened_.overloaded;
    return fail(Code::overloaded, Side::store, "no space is left");
  }
  Transaction done = transaction;
  const bool breaks = !is_well && breakage_ != Breakage::none && prng_.below(8) == 0;
  if (breaks && breakage_ == Breakage::ignored_compare) done.compares.clear();
  if (breaks && breakage_ == Breakage::half_done && done.writes.size() > 1) done.writes.resize(1);
  if (breaks && breakage_ == Breakage::lost_write) done.writes.clear();
  Result<Outcome> outcome = keyspace_->apply(done);
  note(outcome ? "commit" : "lease is gone");
  if (breaks && breakage_ == Breakage::done_twice) {
    agenda_.plan_in(between(1ms, 100ms), [this, done] {
      (void)keyspace_->apply(done);
      changed();
    });
  }
  changed();
  if (!outcome) return outcome;
  const bool committed = outcome->kind == Outcome::Kind::committed;
  if (committed) ++happened_.commits;
  if (breaks && committed && breakage_ == Breakage::failed_but_done) {
    return fail(Code::overloaded, Side::store, "no space is left");
  }
  if (breaks && committed && breakage_ == Breakage::refused_but_done) outcome->kind = Outcome::Kind::refused;
  if (breaks && committed && breakage_ == Breakage::wrong_revision) ++outcome->revision;
  if (breaks && !outcome->found.empty() && breakage_ == Breakage::wrong_found) outcome->found.pop_back();
  return outcome;
}

Result<View> SimulatedEngine::read(const std::string& prefix, Revision at, bool is_well) {
  note("read");
  const bool breaks = !is_well && breakage_ == Breakage::stale_read && at == 0 && prng_.below(8) == 0;
  if (breaks && keyspace_->revision() > keyspace_->compacted() + 3) {
    return keyspace_->read(prefix, keyspace_->revision() - 3);
  }
  return keyspace_->read(prefix, at);
}

Result<LeaseTerm> SimulatedEngine::grant(Duration ttl, BootInstant since) {
  if (loop_.now() < full_until_) return fail(Code::overloaded, Side::store, "no space is left");
  const LeaseId id = ++last_lease_;
  const Duration whole = std::max(std::chrono::ceil<std::chrono::seconds>(ttl) + 0ns, kShortestTtl);
  note("grant");
  keyspace_->grant(id);
  leases_[id] = {whole, loop_.now() + whole};
  return LeaseTerm{id, whole, since};
}

Result<LeaseTerm> SimulatedEngine::keep_alive(LeaseId id, BootInstant since) {
  note("keep alive");
  const auto lease = leases_.find(id);
  if (lease == leases_.end() || lease->second.expires <= loop_.now()) {
    return fail(Code::missing, Side::store, "lease " + std::to_string(id) + " has ended");
  }
  lease->second.expires = loop_.now() + lease->second.ttl;
  return LeaseTerm{id, lease->second.ttl, since};
}

// It answers from its memory, and nobody else hears of it. What it says is still true: a new leader gives all leases
// their time anew, and by then it has noticed (etcd's check-quorum).
std::optional<LeaseTerm> SimulatedEngine::ask_deposed_leader(LeaseId id, BootInstant since) {
  if (loop_.now() >= deposed_until_ || !chance(faults_.deposed_leader)) return std::nullopt;
  const auto lease = leases_.find(id);
  if (lease == leases_.end()) return std::nullopt;
  ++happened_.deposed_answers;
  return LeaseTerm{id, lease->second.ttl, since};
}

Result<> SimulatedEngine::revoke(LeaseId lease) {
  end_lease(lease);
  return {};
}

// ------------------------------------------------------------------------------------------------------------ watches

void SimulatedEngine::subscribe(std::shared_ptr<SimulatedStream> stream) {
  streams_.push_back(stream);
  plan_flush(stream);
}

void SimulatedEngine::plan_flush(const std::shared_ptr<SimulatedStream>& stream) {
  if (std::exchange(stream->flush_planned, true)) return;
  agenda_.plan_in(latency(stream->is_well ? 0 : faults_.watch_slow), [this, weak = std::weak_ptr(stream)] {
    if (const auto alive = weak.lock()) flush(alive);
  });
}

// Everything since the last time goes out: one message, or one for each transaction.
void SimulatedEngine::flush(const std::shared_ptr<SimulatedStream>& stream) {
  stream->flush_planned = false;
  if (stream->stalled || !stream->stale.empty()) return;
  const Revision from = stream->sent + 1;
  Result<std::vector<Batch>> batches = keyspace_->since(stream->prefix, from);
  if (!batches) return end_stale(*stream, batches.error().what);
  const Revision now = keyspace_->revision();
  if (now < from) return;
  if (prng_.below(3) == 0) {  // together, and up to now, even if nothing happened there
    Batch all{now, {}};
    for (Batch& each : *batches) std::ranges::move(each.events, std::back_inserter(all.events));
    return send(stream, std::move(all));
  }
  for (Batch& each : *batches) send(stream, std::move(each));
}

void SimulatedEngine::send(const std::shared_ptr<SimulatedStream>& stream, Batch batch) {
  const Revision after = std::exchange(stream->sent, batch.revision);
  if (stream->stalled || !stream->stale.empty()) return;
  if (stream->is_well) return receive(*stream, after, std::move(batch));
  if (chance(faults_.watch_cancelled)) return end_stale(*stream, "cancelled");
  const bool gap = chance(faults_.watch_gap);
  stream->stalled = chance(faults_.watch_stalled);
  if (gap || stream->stalled) {
    // If nothing else shows it, the client asks now and then whether something has happened.
    return agenda_.plan_in(kSilence, [this, stream, revision = batch.revision] {
      if (stream->told < revision) end_stale(*stream, "it was silent while something happened");
    });
  }
  if (chance(faults_.watch_repeated)) {
    agenda_.plan_in(between(1ms, kSlowest), [this, stream, after, batch] { receive(*stream, after, batch); });
  }
  receive(*stream, after, std::move(batch));
}

// The client's part: what it was told already it is not told again, and what cannot follow ends the watch.
void SimulatedEngine::receive(SimulatedStream& stream, Revision after, Batch batch) {
  if (!stream.stale.empty()) return;
  if (!stream.is_well && breakage_ != Breakage::none) return receive_broken(stream, std::move(batch));
  if (batch.revision <= stream.told) {
    ++happened_.repeats_masked;
    return;
  }
  if (after != stream.told) {
    ++happened_.gaps_masked;
    return end_stale(stream, "a gap");
  }
  stream.told = batch.revision;
  stream.ready.push_back(std::move(batch));
  stream.arrived.notify();
}

void SimulatedEngine::receive_broken(SimulatedStream& stream, Batch batch) {
  const bool breaks = prng_.below(8) == 0;
  stream.told = batch.revision;
  Batch second{batch.revision, {}};
  if (breaks && breakage_ == Breakage::lost_event && !batch.events.empty()) batch.events.pop_back();
  if (breaks && breakage_ == Breakage::repeated_event) second = batch;
  if (breaks && breakage_ == Breakage::unordered_events) std::ranges::reverse(batch.events);
  if (breaks && breakage_ == Breakage::split_transaction && batch.events.size() > 1) {
    second.events.push_back(std::move(batch.events.back()));
    batch.events.pop_back();
  }
  stream.ready.push_back(std::move(batch));
  if (!second.events.empty()) stream.ready.push_back(std::move(second));
  stream.arrived.notify();
}

void SimulatedEngine::end_stale(SimulatedStream& stream, const std::string& why) {
  if (!stream.stale.empty()) return;
  ++happened_.watches_stale;
  note("stale");
  stream.stale = why;
  stream.arrived.notify();
}

}  // namespace holdfast::store

#include "store/simulated_client.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "io/loop.h"

namespace holdfast::store {
namespace {

/// etcd gives up a request that finds no leader after 5 s and two election timeouts.
constexpr Duration kLeaderlessMax = 7s;
constexpr Duration kLateMax = 10s;
constexpr Duration kLookForLeader = 100ms;

std::unexpected<Error> failed(Code code, std::string what) { return fail(code, Side::store, std::move(what)); }

}  // namespace

struct SimulatedStore::Fate {
  bool refused = false;
  bool arrives = true;
  bool resets = false;  ///< its client is told at once that the connection broke
  bool is_answered = true;
  Instant arrival;
};

template <class T>
struct SimulatedStore::Asked : Pinned {
  Asked(io::Loop& loop, std::function<Result<T>()> serve_) : serve(std::move(serve_)), wakes(loop) {}

  const std::function<Result<T>()> serve;
  Fate fate;
  std::uint64_t world = 0;
  bool was_sent = false;
  bool was_served = false;  ///< by the cluster
  bool has_answer = false;  ///< of the cluster: its client knows for sure
  bool has_ended = false;   ///< for its client
  std::optional<Result<T>> result;
  io::Signal wakes;

  bool is_unsure() const { return was_sent && !has_answer; }
};

SimulatedStore::Fate SimulatedStore::draw_fate(Deadline deadline) {
  const Faults well;
  const Faults& faults = is_well_ ? well : engine_.faults_;
  Fate fate;
  fate.arrival = loop_.now() + engine_.latency(faults.slow);
  fate.refused = engine_.chance(faults.refused);
  fate.arrives = !engine_.chance(faults.request_lost);
  fate.is_answered = !engine_.chance(faults.answer_lost);
  if (engine_.chance(faults.late) && deadline != kNever) fate.arrival = deadline + engine_.between(1ms, kLateMax);
  if (engine_.chance(faults.reset)) {
    fate.resets = true;
    fate.arrives = engine_.prng_.below(2) == 0;
    fate.arrival += engine_.between(1ms, 2s);
  }
  return fate;
}

template <class T>
std::shared_ptr<SimulatedStore::Asked<T>> SimulatedStore::make(std::function<Result<T>()> serve) {
  return std::make_shared<Asked<T>>(loop_, std::move(serve));
}

template <class T>
io::Task<Result<T>> SimulatedStore::ask(std::shared_ptr<Asked<T>> asked, Deadline deadline) {
  if (closed_) co_return failed(Code::stopped, "the store is closed");
  if (deadline <= loop_.now()) co_return failed(Code::timed_out, "no time is left");
  asked->fate = draw_fate(deadline);
  asked->world = engine_.keyspace_->world();
  asked->was_sent = !asked->fate.refused;
  SimulatedEngine* const engine = &engine_;
  if (asked->was_sent && asked->fate.arrives) {
    engine_.agenda_.plan(asked->fate.arrival, [engine, asked] { arrive<T>(*engine, asked); });
  }
  if (asked->fate.refused || asked->fate.resets) {
    const auto break_off = [asked] {
      if (asked->has_answer) return;
      asked->result =
          asked->was_sent ? failed(Code::closed, "the connection broke") : failed(Code::refused, "nobody listens");
      asked->wakes.notify();
    };
    engine_.agenda_.plan_in(engine_.latency(0), break_off);
  }
  ++waiting_;
  std::erase_if(to_wake_, [](const std::weak_ptr<io::Signal>& each) { return each.expired(); });
  to_wake_.push_back(std::shared_ptr<io::Signal>(asked, &asked->wakes));
  co_await asked->wakes.wait(deadline);
  asked->has_ended = true;
  if (--waiting_ == 0) idle_.notify();
  if (asked->result) co_return std::move(*asked->result);
  if (closed_) co_return failed(Code::stopped, "the store was closed");
  co_return failed(Code::timed_out, "no answer came");
}

template <class T>
void SimulatedStore::arrive(SimulatedEngine& engine, std::shared_ptr<Asked<T>> asked) {
  if (asked->world != engine.keyspace_->world()) return;  // it was meant for what is no more
  if (engine.leader_ == SimulatedEngine::Leader::gone) {
    if (engine.loop_.now() - asked->fate.arrival >= kLeaderlessMax) {
      ++engine.happened_.timed_out_leaderless;
      asked->result = failed(Code::timed_out, "the cluster had no leader");
      return asked->wakes.notify();
    }
    engine.agenda_.plan_in(kLookForLeader, [&engine, asked] { arrive<T>(engine, asked); });
    return;
  }
  Result<T> result = asked->serve();
  asked->was_served = true;
  if (std::is_same_v<T, Outcome> && asked->has_ended) ++engine.happened_.done_after_answer;
  answer<T>(engine, asked, std::move(result));
}

template <class T>
void SimulatedStore::answer(SimulatedEngine& engine, std::shared_ptr<Asked<T>> asked, Result<T> result) {
  if (!asked->fate.is_answered) return;
  const Duration way = engine.latency(engine.faults_.slow);
  engine.agenda_.plan_in(way, [asked, result = std::move(result)]() mutable {
    if (asked->has_ended || asked->result) return;
    asked->result = std::move(result);
    asked->has_answer = true;
    asked->wakes.notify();
  });
}

io::Task<Result<View>> SimulatedStore::read(std::string prefix, Revision at, Deadline deadline) {
  if (Result<> valid = validate_prefix(prefix); !valid) co_return pass(valid, "read");
  SimulatedEngine* const engine = &engine_;
  const bool is_well = is_well_;
  std::function<Result<View>()> serve = [engine, prefix, at, is_well] { return engine->read(prefix, at, is_well); };
  auto asked = make<View>(std::move(serve));
  co_return co_await ask<View>(std::move(asked), deadline);
}

io::Task<Result<Outcome>> SimulatedStore::commit(Transaction transaction, Deadline deadline) {
  if (Result<> valid = validate(transaction); !valid) co_return pass(valid, "commit");
  SimulatedEngine* const engine = &engine_;
  const bool is_well = is_well_;
  std::function<Result<Outcome>()> serve = [engine, transaction = std::move(transaction), is_well] {
    return engine->commit(transaction, is_well);
  };
  auto asked = make<Outcome>(std::move(serve));
  Result<Outcome> outcome = co_await ask<Outcome>(asked, deadline);
  if (outcome || !asked->is_unsure()) co_return outcome;
  ++(asked->was_served ? engine->happened_.done_unknown : engine->happened_.unknown_so_far);
  co_return Outcome{Outcome::Kind::unknown, 0, {}, outcome.error().what};
}

std::unique_ptr<Watch> SimulatedStore::watch(std::string prefix, Revision from) {
  auto stream = std::make_shared<SimulatedStream>(loop_, std::move(prefix), from, is_well_);
  std::erase_if(streams_, [](const std::weak_ptr<SimulatedStream>& each) { return each.expired(); });
  streams_.push_back(stream);
  stream->closed = closed_;
  SimulatedEngine* const engine = &engine_;
  engine_.agenda_.plan_in(engine_.latency(0), [engine, stream, world = engine_.keyspace_->world()] {
    if (world != engine->keyspace_->world()) return engine->end_stale(*stream, "the store was restored");
    engine->subscribe(stream);
  });
  return std::make_unique<SimulatedWatch>(loop_, std::move(stream));
}

io::Task<Result<LeaseTerm>> SimulatedStore::grant(Duration ttl, Deadline deadline) {
  if (ttl < kShortestLease || ttl > kLongestLease) co_return failed(Code::invalid, "a lease lasts from 1 s to 1 h");
  const BootInstant since = loop_.boot_now();
  SimulatedEngine* const engine = &engine_;
  std::function<Result<LeaseTerm>()> serve = [engine, ttl, since] { return engine->grant(ttl, since); };
  auto asked = make<LeaseTerm>(std::move(serve));
  co_return co_await ask<LeaseTerm>(std::move(asked), deadline);
}

io::Task<Result<LeaseTerm>> SimulatedStore::keep_alive(LeaseId lease, Deadline deadline) {
  const BootInstant since = loop_.boot_now();
  SimulatedEngine* const engine = &engine_;
  std::function<Result<LeaseTerm>()> serve = [engine, lease, since] { return engine->keep_alive(lease, since); };
  auto asked = make<LeaseTerm>(std::move(serve));
  if (const std::optional<LeaseTerm> term = engine->ask_deposed_leader(lease, since); term && deadline > loop_.now()) {
    co_return *term;
  }
  co_return co_await ask<LeaseTerm>(std::move(asked), deadline);
}

io::Task<Result<>> SimulatedStore::revoke(LeaseId lease, Deadline deadline) {
  SimulatedEngine* const engine = &engine_;
  std::function<Result<>()> serve = [engine, lease] { return engine->revoke(lease); };
  auto asked = make<void>(std::move(serve));
  co_return co_await ask<void>(std::move(asked), deadline);
}

io::Task<Result<>> SimulatedStore::compact(Revision revision, Deadline deadline) {
  SimulatedEngine* const engine = &engine_;
  std::function<Result<>()> serve = [engine, revision] { return engine->keyspace_->compact(revision); };
  auto asked = make<void>(std::move(serve));
  co_return co_await ask<void>(std::move(asked), deadline);
}

io::Task<Result<StoreStatus>> SimulatedStore::status(Deadline deadline) {
  SimulatedEngine* const engine = &engine_;
  std::function<Result<StoreStatus>()> serve = [engine]() -> Result<StoreStatus> {
    const Keyspace& keyspace = *engine->keyspace_;
    return StoreStatus{"simulated", keyspace.world(), keyspace.revision(), keyspace.compacted(), 0, {}};
  };
  auto asked = make<StoreStatus>(std::move(serve));
  co_return co_await ask<StoreStatus>(std::move(asked), deadline);
}

io::Task<> SimulatedStore::close() {
  closed_ = true;
  for (const std::weak_ptr<io::Signal>& each : to_wake_) {
    if (const std::shared_ptr<io::Signal> signal = each.lock()) signal->notify();
  }
  for (const std::weak_ptr<SimulatedStream>& each : streams_) {
    const std::shared_ptr<SimulatedStream> stream = each.lock();
    if (!stream) continue;
    stream->closed = true;
    stream->arrived.notify();
  }
  while (waiting_ != 0) co_await idle_.wait(kNever);
}

io::Task<Result<Batch>> SimulatedWatch::next(Deadline deadline) {
  const std::shared_ptr<SimulatedStream> stream = stream_;
  while (true) {
    if (stream->closed) co_return fail(Code::stopped, Side::local, "the watch was closed");
    if (!stream->ready.empty()) {
      Batch batch = std::move(stream->ready.front());
      stream->ready.pop_front();
      co_return batch;
    }
    if (!stream->stale.empty()) co_return failed(Code::stale, stream->stale);
    const bool came = co_await stream->arrived.wait(deadline);
    if (!came && stream->ready.empty() && deadline <= loop_.now())
      co_return failed(Code::timed_out, "nothing happened");
  }
}

void SimulatedWatch::close() {
  stream_->closed = true;
  stream_->arrived.notify();
}

}  // namespace holdfast::store

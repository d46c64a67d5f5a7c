#include "store/sqlite.h"

#include "store/sqlite_watch.h"
#include "store/sqlite_worker.h"

namespace holdfast::store {
namespace {

class SqliteStore final : public Store {
 public:
  SqliteStore(io::Loop& loop, std::unique_ptr<SqliteEngine> engine, std::function<BootInstant()> boot_clock)
      : boot_clock_(std::move(boot_clock)),
        hub_(std::make_shared<SqliteHub>(loop)),
        worker_(loop, std::move(engine), [hub = hub_](const Changes& changes) { hub->tell(changes); }) {
    hub_->open(worker_);
  }
  ~SqliteStore() override { hub_->close(); }

  io::Task<Result<View>> read(std::string prefix, Revision at, Deadline deadline) override;
  io::Task<Result<Outcome>> commit(Transaction transaction, Deadline deadline) override;
  std::unique_ptr<Watch> watch(std::string prefix, Revision from) override {
    return std::make_unique<SqliteWatch>(hub_, std::move(prefix), from);
  }
  io::Task<Result<LeaseTerm>> grant(Duration ttl, Deadline deadline) override;
  io::Task<Result<LeaseTerm>> keep_alive(LeaseId lease, Deadline deadline) override;
  io::Task<Result<>> revoke(LeaseId lease, Deadline deadline) override;
  io::Task<Result<>> compact(Revision revision, Deadline deadline) override;
  io::Task<Result<StoreStatus>> status(Deadline deadline) override;
  io::Task<> close() override;

 private:
  const std::function<BootInstant()> boot_clock_;
  std::shared_ptr<SqliteHub> hub_;  ///< watches may outlive us
  SqliteWorker worker_;
};

io::Task<Result<View>> SqliteStore::read(std::string prefix, Revision at, Deadline deadline) {
  Result<> valid = validate_prefix(prefix);
  if (!valid) co_return std::unexpected(std::move(valid.error()));
  auto gate = std::make_shared<Gate>();
  SqliteWorker::Work<View> work = [prefix, at](SqliteEngine& engine) { return engine.read(prefix, at); };
  Result<View> view = co_await worker_.carry_out(std::move(work), std::move(gate), deadline);
  if (!view) co_return pass(view, "read " + prefix);
  co_return view;
}

io::Task<Result<Outcome>> SqliteStore::commit(Transaction transaction, Deadline deadline) {
  Result<> valid = validate(transaction);
  if (!valid) co_return std::unexpected(std::move(valid.error()));
  const auto gate = std::make_shared<Gate>();
  SqliteWorker::Work<Outcome> work = [transaction = std::move(transaction), gate](SqliteEngine& engine) {
    return engine.commit(transaction, *gate);
  };
  Result<Outcome> outcome = co_await worker_.carry_out(std::move(work), gate, deadline);
  if (outcome) co_return outcome;
  const bool late = outcome.error().code == Code::timed_out || outcome.error().code == Code::stopped;
  if (late && gate->is_passed()) {
    co_return Outcome{Outcome::Kind::unknown, 0, {}, outcome.error().what};
  }
  co_return pass(outcome, "commit");
}

io::Task<Result<LeaseTerm>> SqliteStore::grant(Duration ttl, Deadline deadline) {
  if (ttl < kShortestLease || ttl > kLongestLease) {
    co_return fail(Code::invalid, Side::store, "a lease lasts from a second to an hour");
  }
  const BootInstant since = boot_clock_();
  const auto gate = std::make_shared<Gate>();
  SqliteWorker::Work<LeaseId> work = [ttl, gate](SqliteEngine& engine) { return engine.grant(ttl, *gate); };
  Result<LeaseId> lease = co_await worker_.carry_out(std::move(work), gate, deadline);
  if (!lease) co_return pass(lease, "grant a lease");
  co_return LeaseTerm{*lease, ttl, since};
}

io::Task<Result<LeaseTerm>> SqliteStore::keep_alive(LeaseId lease, Deadline deadline) {
  const BootInstant since = boot_clock_();
  const auto gate = std::make_shared<Gate>();
  SqliteWorker::Work<Duration> work = [lease, gate](SqliteEngine& engine) { return engine.keep_alive(lease, *gate); };
  Result<Duration> ttl = co_await worker_.carry_out(std::move(work), gate, deadline);
  if (!ttl) co_return pass(ttl, "keep a lease alive");
  co_return LeaseTerm{lease, *ttl, since};
}

io::Task<Result<>> SqliteStore::revoke(LeaseId lease, Deadline deadline) {
  const auto gate = std::make_shared<Gate>();
  SqliteWorker::Work<void> work = [lease, gate](SqliteEngine& engine) { return engine.revoke(lease, *gate); };
  Result<> revoked = co_await worker_.carry_out(std::move(work), gate, deadline);
  if (!revoked) co_return pass(revoked, "revoke a lease");
  co_return revoked;
}

io::Task<Result<>> SqliteStore::compact(Revision revision, Deadline deadline) {
  const auto gate = std::make_shared<Gate>();
  SqliteWorker::Work<void> work = [revision, gate](SqliteEngine& engine) { return engine.compact(revision, *gate); };
  Result<> compacted = co_await worker_.carry_out(std::move(work), gate, deadline);
  if (!compacted) co_return pass(compacted, "compact");
  co_return compacted;
}

io::Task<Result<StoreStatus>> SqliteStore::status(Deadline deadline) {
  auto gate = std::make_shared<Gate>();
  SqliteWorker::Work<StoreStatus> work = [](SqliteEngine& engine) { return engine.status(); };
  Result<StoreStatus> status = co_await worker_.carry_out(std::move(work), std::move(gate), deadline);
  if (!status) co_return pass(status, "ask for the status");
  co_return status;
}

io::Task<> SqliteStore::close() {
  hub_->close();
  co_await worker_.close();
}

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite(io::Loop& loop, const std::filesystem::path& file, SqliteOptions options) {
  if (!options.boot_clock) options.boot_clock = io::read_boot_clock;
  std::function<BootInstant()> boot_clock = options.boot_clock;
  Result<std::unique_ptr<SqliteEngine>> engine = SqliteEngine::open(file, std::move(options));
  if (!engine) return std::unexpected(std::move(engine.error()));
  return std::make_unique<SqliteStore>(loop, std::move(*engine), std::move(boot_clock));
}

}  // namespace holdfast::store

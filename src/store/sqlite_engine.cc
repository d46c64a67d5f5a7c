#include "store/sqlite_engine.h"

#include <algorithm>
#include <fstream>
#include <map>

#include "io/loop.h"
#include "store/sqlite_schema.h"

namespace holdfast::store {
namespace {

constexpr std::size_t kLeasesPerTransaction = 256;
constexpr std::size_t kRowsPerStep = 256;    // more than a transaction of single writes can leave behind
constexpr Revision kRevisionsPerStep = 100;  // history is cut in pieces of this length

constexpr std::uint64_t kHistoryWhenTight = 10;  // a file that is half full keeps a tenth of its history

std::string boot_of_machine() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string boot;
  std::getline(file, boot);
  return boot.empty() ? "unknown" : boot;
}

Error store_error(Code code, std::string what) { return {code, Side::store, std::move(what)}; }

}  // namespace

Result<std::unique_ptr<SqliteEngine>> SqliteEngine::open(const std::filesystem::path& file, SqliteOptions options) {
  if (!options.boot_clock) options.boot_clock = io::read_boot_clock;
  if (options.boot.empty()) options.boot = boot_of_machine();
  auto engine = std::make_unique<SqliteEngine>(std::move(options));
  const SqliteWorld world{engine->now(), engine->options_.boot, engine->options_.bytes_max,
                          engine->options_.open_patience};
  // Where we go is no matter of where the process stands later.
  std::error_code error;
  const std::filesystem::path place = std::filesystem::absolute(file, error);
  if (Result<> opened = open_store_file(engine->database_, error ? file : place, world); !opened) {
    return std::unexpected(std::move(opened.error()));
  }
  engine->identity_ = identity_of(engine->database_.file());
  if (Result<> prepared = engine->prepare(); !prepared) return std::unexpected(std::move(prepared.error()));
  return engine;
}

Result<> SqliteEngine::prepare() {
  if (Result<> done = versions_.prepare(database_); !done) return done;
  if (Result<> done = leases_.prepare(database_); !done) return done;
  if (Result<> done = database_.prepare(load_, "SELECT world, revision, compacted FROM meta"); !done) return done;
  if (Result<> done = database_.prepare(save_, "UPDATE meta SET revision = ?1, compacted = ?2"); !done) return done;
  return database_.prepare(data_version_, "PRAGMA data_version");
}

Result<> SqliteEngine::load() {
  const ResetAtEnd reset(load_);
  const Result<bool> row = load_.step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::unexpected(store_error(Code::corrupt, database_.file().string() + ": its meta is gone"));
  meta_ = saved_ = {load_.number(0), load_.number(1), load_.number(2)};
  return {};
}

// SQLite would go on with a file that has lost its name, and never meet those who use the one that has it now.
Result<> SqliteEngine::begin(const char* how) {
  if (identity_of(database_.file()) != identity_) {
    return fail(Code::closed, Side::store, database_.file().string() + " was removed or replaced: start again");
  }
  if (Result<> begun = database_.execute(how); !begun) return begun;
  Result<> loaded = load();
  if (!loaded) database_.roll_back();
  return loaded;
}

template <class T>
Result<T> SqliteEngine::look(const std::function<Result<T>()>& work) {
  if (Result<> begun = begin("BEGIN"); !begun) return std::unexpected(std::move(begun.error()));
  Result<T> result = work();
  database_.roll_back();
  return result;
}

template <class T>
Result<T> SqliteEngine::write(Gate& gate, const std::function<Result<T>()>& work) {
  unsure_ = false;
  if (Result<> begun = begin("BEGIN IMMEDIATE"); !begun) return std::unexpected(std::move(begun.error()));
  Result<T> result = work();
  if (result) {
    if (Result<> finished = finish(gate); !finished) result = std::unexpected(std::move(finished.error()));
  }
  database_.roll_back();
  return result;
}

Result<> SqliteEngine::finish(Gate& gate) {
  if (meta_.revision != saved_.revision || meta_.compacted != saved_.compacted) {
    if (Result<> saved = save_.bind(1, meta_.revision).bind(2, meta_.compacted).run(); !saved) return saved;
  }
  if (!gate.pass()) return std::unexpected(store_error(Code::timed_out, "given up before it was written"));
  Result<> done = database_.execute("COMMIT");
  if (done) {
    newest_ = std::max(newest_, meta_.revision);
  } else {
    // Without room the last frame of the log is not complete. After another failure it may be, and count after a crash.
    unsure_ = done.error().code != Code::overloaded || database_.sync_failed();
  }
  return done;
}

Result<View> SqliteEngine::read(const std::string& prefix, Revision at) {
  if (Result<> ended = end_leases(); !ended) return std::unexpected(std::move(ended.error()));
  return look<View>([&]() -> Result<View> {
    if (at > meta_.revision) {
      return fail(
          Code::invalid, Side::store,
          "revision " + std::to_string(at) + " is not there yet, the newest is " + std::to_string(meta_.revision));
    }
    if (at != 0 && at < meta_.compacted) {
      return fail(Code::stale, Side::store, "revision " + std::to_string(at) + " has been compacted");
    }
    const bool now = at == 0 || at == meta_.revision;
    Result<std::vector<Record>> records = now ? versions_.list(prefix) : versions_.list_at(prefix, at);
    if (!records) return std::unexpected(std::move(records.error()));
    return View{meta_.world, now ? meta_.revision : at, std::move(*records)};
  });
}

Result<Outcome> SqliteEngine::commit(const Transaction& transaction, Gate& gate) {
  if (Result<> ended = end_leases(); !ended) return std::unexpected(std::move(ended.error()));
  Result<Outcome> outcome = write<Outcome>(gate, [&] { return judge_and_write(transaction); });
  if (outcome || !unsure_) return outcome;
  return Outcome{Outcome::Kind::unknown, 0, {}, outcome.error().what + ": commit"};
}

Result<Outcome> SqliteEngine::judge_and_write(const Transaction& transaction) {
  std::map<std::string, Record> found;
  bool all_hold = true;
  for (const Compare& compare : transaction.compares) {
    Result<std::optional<Record>> record = versions_.find(compare.key);
    if (!record) return std::unexpected(std::move(record.error()));
    all_hold = all_hold && holds(compare, record->has_value() ? &**record : nullptr);
    if (record->has_value()) found.insert_or_assign(compare.key, std::move(**record));
  }
  if (!all_hold) {
    Outcome outcome{Outcome::Kind::refused, meta_.revision, {}, {}};
    for (auto& [key, record] : found) outcome.found.push_back(std::move(record));
    return outcome;
  }
  std::size_t written = 0;
  for (const Write& write : transaction.writes) {
    const Result<std::size_t> done = carry_out(write, meta_.revision + 1);
    if (!done) return std::unexpected(done.error());
    written += *done;
  }
  if (written != 0) {
    ++meta_.revision;
    if (Result<> done = forget_history(); !done) return std::unexpected(std::move(done.error()));
  }
  return Outcome{Outcome::Kind::committed, meta_.revision, {}, {}};
}

Result<std::size_t> SqliteEngine::carry_out(const Write& write, Revision revision) {
  switch (write.kind) {
    case Write::Kind::put: {
      if (write.lease != 0) {
        const Result<std::optional<Duration>> lives = leases_.find(write.lease, now());
        if (!lives) return std::unexpected(lives.error());
        if (!lives->has_value()) return fail(Code::missing, Side::store, "the lease of \"" + write.key + "\" is gone");
      }
      if (Result<> done = versions_.put(write.key, write.value, write.lease, revision); !done) {
        return std::unexpected(std::move(done.error()));
      }
      return std::size_t{1};
    }
    case Write::Kind::erase: return versions_.erase(write.key, revision);
    case Write::Kind::erase_prefix: return versions_.erase_prefix(write.key, revision);
  }
  return std::size_t{0};
}

// A little with every commit: what one leaves behind, the next take away, and none of them waits long.
Result<> SqliteEngine::forget_history() {
  if (meta_.revision % kRevisionsPerStep == 0) {
    const Result<std::uint64_t> bytes = database_.ask(
        "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, "
        "pragma_page_size");
    if (!bytes) return std::unexpected(bytes.error());
    const bool tight = *bytes > options_.bytes_max / 2;
    const std::uint64_t keep = tight ? options_.history_revisions / kHistoryWhenTight : options_.history_revisions;
    if (meta_.revision > meta_.compacted + keep) meta_.compacted = meta_.revision - keep;
  }
  if (meta_.compacted == 0) return {};
  return versions_.drop(meta_.compacted, kRowsPerStep);
}

Result<LeaseId> SqliteEngine::grant(Duration ttl, Gate& gate) {
  const LeaseId lease = sqlite_random();
  return write<LeaseId>(gate, [&]() -> Result<LeaseId> {
    if (Result<> done = leases_.grant(lease, ttl, now()); !done) return std::unexpected(std::move(done.error()));
    return lease;
  });
}

// Not forced to the disk: what a machine forgets when it loses power, its next boot gives back, a whole ttl to every
// lease. What a killed process wrote is kept by the kernel.
Result<Duration> SqliteEngine::keep_alive(LeaseId lease, Gate& gate) {
  if (Result<> ended = end_leases(); !ended) return std::unexpected(std::move(ended.error()));
  if (Result<> relaxed = database_.execute("PRAGMA synchronous=NORMAL"); !relaxed) {
    return std::unexpected(std::move(relaxed.error()));
  }
  Result<Duration> kept = write<Duration>(gate, [&]() -> Result<Duration> {
    const BootInstant present = now();
    const Result<std::optional<Duration>> ttl = leases_.find(lease, present);
    if (!ttl) return std::unexpected(ttl.error());
    if (!ttl->has_value()) return fail(Code::missing, Side::store, "the lease has ended");
    if (Result<> done = leases_.renew(lease, present + **ttl); !done) return std::unexpected(std::move(done.error()));
    return **ttl;
  });
  if (Result<> strict = database_.execute("PRAGMA synchronous=FULL"); !strict) {
    return std::unexpected(std::move(strict.error()));
  }
  return kept;
}

Result<> SqliteEngine::revoke(LeaseId lease, Gate& gate) {
  return write<void>(gate, [&] { return end_lease(lease); });
}

Result<> SqliteEngine::end_lease(LeaseId lease) {
  const Result<bool> removed = leases_.remove(lease);
  if (!removed) return std::unexpected(removed.error());
  if (!*removed) return {};
  const Result<std::size_t> erased = versions_.erase_of_lease(lease, meta_.revision + 1);
  if (!erased) return std::unexpected(erased.error());
  if (*erased != 0) ++meta_.revision;
  return {};
}

// Each lease at a revision of its own.
Result<> SqliteEngine::end_leases() {
  const BootInstant until = now();
  while (true) {
    const Result<std::vector<LeaseId>> due = leases_.due(until, 1);
    if (!due) return std::unexpected(due.error());
    if (due->empty()) return {};
    Gate open;
    Result<> ended = write<void>(open, [&]() -> Result<> {
      const Result<std::vector<LeaseId>> all = leases_.due(until, kLeasesPerTransaction);
      if (!all) return std::unexpected(all.error());
      for (const LeaseId lease : *all) {
        if (Result<> done = end_lease(lease); !done) return done;
      }
      return {};
    });
    if (!ended) return pass(ended, "end leases");
  }
}

Result<> SqliteEngine::compact(Revision revision, Gate& gate) {
  return write<void>(gate, [&]() -> Result<> {
    if (revision > meta_.revision) {
      return fail(Code::invalid, Side::store, "revision " + std::to_string(revision) + " is not there yet");
    }
    if (revision <= meta_.compacted) return {};
    meta_.compacted = revision;
    return versions_.drop(meta_.compacted, kRowsPerStep);
  });
}

Result<StoreStatus> SqliteEngine::status() {
  return look<StoreStatus>([&]() -> Result<StoreStatus> {
    const Result<std::uint64_t> bytes =
        database_.ask("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size");
    if (!bytes) return std::unexpected(bytes.error());
    const std::string engine = "sqlite " + std::string(sqlite_version());
    return StoreStatus{engine, meta_.world, meta_.revision, meta_.compacted, *bytes, {}};
  });
}

Result<Changes> SqliteEngine::changes(const std::string& prefix, Revision from) {
  return look<Changes>([&]() -> Result<Changes> {
    if (from < meta_.compacted) {
      return fail(Code::stale, Side::store,
                  "history before " + std::to_string(meta_.compacted) + " has been compacted");
    }
    if (from > meta_.revision) return Changes{from, meta_.revision, {}};
    return versions_.changes(prefix, from, meta_.revision);
  });
}

Result<Revision> SqliteEngine::newest() {
  std::uint64_t version = 0;
  {
    const ResetAtEnd reset(data_version_);
    const Result<bool> row = data_version_.step();
    if (!row) return std::unexpected(row.error());
    version = data_version_.number(0);
  }
  if (version == seen_version_) return newest_;
  // The version first, then the revision: what is committed in between is looked at once more, not missed.
  Result<Revision> newest = look<Revision>([&]() -> Result<Revision> { return meta_.revision; });
  if (!newest) return newest;
  newest_ = std::max(newest_, *newest);
  seen_version_ = version;
  return newest_;
}

Result<> SqliteEngine::tidy() {
  if (Result<> ended = end_leases(); !ended) return ended;
  const Result<bool> garbage = look<bool>([&] { return versions_.has_garbage(meta_.compacted); });
  if (!garbage) return std::unexpected(garbage.error());
  if (!*garbage) return {};
  Gate open;
  return write<void>(open, [&] { return versions_.drop(meta_.compacted, kRowsPerStep); });
}

}  // namespace holdfast::store

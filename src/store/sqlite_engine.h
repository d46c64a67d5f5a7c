// SqliteEngine: the store on one connection, and one thread at a time; it blocks. What the words mean stands in
// store/store.h, what the file holds in store/sqlite_schema.h.
//
// Code::timed_out says that another process holds the file, or that the gate was shut: nothing was done.
#pragma once

#include <functional>
#include <memory>

#include "store/sqlite.h"
#include "store/sqlite_gate.h"
#include "store/sqlite_versions.h"
#include "store/store.h"

namespace holdfast::store {

class SqliteEngine : Pinned {
 public:
  explicit SqliteEngine(SqliteOptions options) : options_(std::move(options)) {}

  /// Errors: those of open_sqlite().
  static Result<std::unique_ptr<SqliteEngine>> open(const std::filesystem::path& file, SqliteOptions options);

  Result<View> read(const std::string& prefix, Revision at);
  Result<Outcome> commit(const Transaction& transaction, Gate& gate);
  Result<LeaseId> grant(Duration ttl, Gate& gate);
  /// The lease's ttl, counted from somewhen during the call.
  Result<Duration> keep_alive(LeaseId lease, Gate& gate);
  Result<> revoke(LeaseId lease, Gate& gate);
  Result<> compact(Revision revision, Gate& gate);
  Result<StoreStatus> status();

  /// What happened under `prefix` since `from`, included; a bounded piece of it.
  /// Errors: Code::stale.
  Result<Changes> changes(const std::string& prefix, Revision from);
  /// The newest revision; costs microseconds when nothing happened.
  Result<Revision> newest();
  /// What somebody has to do from time to time: ends leases, lets go of a little history.
  Result<> tidy();

  BootInstant now() const { return options_.boot_clock(); }

 private:
  struct Meta {
    std::uint64_t world = 0;
    Revision revision = 0;
    Revision compacted = 0;
  };

  Result<> prepare();
  Result<> load();
  Result<> begin(const char* how);
  Result<> finish(Gate& gate);
  /// One transaction that writes: all of `work`, or nothing.
  template <class T>
  Result<T> write(Gate& gate, const std::function<Result<T>()>& work);
  /// One transaction that only reads.
  template <class T>
  Result<T> look(const std::function<Result<T>()>& work);

  Result<> end_leases();
  Result<> end_lease(LeaseId lease);
  Result<Outcome> judge_and_write(const Transaction& transaction);
  Result<std::size_t> carry_out(const Write& write, Revision revision);
  Result<> forget_history();

  SqliteOptions options_;
  SqliteDatabase database_;
  SqliteVersions versions_;
  SqliteLeases leases_;
  SqliteStatement load_, save_, data_version_;
  Meta meta_;            ///< as of the last transaction
  Meta saved_;           ///< what stands in the file, within a transaction that writes
  bool unsure_ = false;  ///< the last finish() failed on its way to the disk
  Revision newest_ = 0;
  std::uint64_t seen_version_ = 0;
  std::uint64_t identity_ = 0;
};

}  // namespace holdfast::store

// The table of versions, and that of leases: statements with names. Whoever calls these has begun a transaction and
// knows its revision; nothing here begins or ends one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/record.h"
#include "store/sqlite_database.h"

namespace holdfast::store {

/// What happened under a prefix from one revision to another, both included.
struct Changes {
  Revision from = 0;
  Revision to = 0;
  std::vector<Event> events;  ///< in order; `modified` is the revision of each

  /// Nothing has happened since `told`, and the store is there; or, to whoever is not there yet, that history has to be
  /// read.
  static Changes none_since(Revision told) { return {told + 1, told, {}}; }
  bool nothing_new() const { return from > to; }
};

/// A reading of history ends behind the first transaction that fills one of these.
inline constexpr std::size_t kEventsPerReading = 1000;
inline constexpr std::size_t kEventBytesPerReading = 8UL * 1024 * 1024;

class SqliteVersions : Pinned {
 public:
  Result<> prepare(SqliteDatabase& database);

  Result<std::optional<Record>> find(const std::string& key);
  Result<std::vector<Record>> list(const std::string& prefix);
  Result<std::vector<Record>> list_at(const std::string& prefix, Revision at);
  Result<Changes> changes(const std::string& prefix, Revision from, Revision to);

  Result<> put(const std::string& key, const std::string& value, LeaseId lease, Revision revision);
  /// These say how many records went.
  Result<std::size_t> erase(const std::string& key, Revision revision);
  Result<std::size_t> erase_prefix(const std::string& prefix, Revision revision);
  Result<std::size_t> erase_of_lease(LeaseId lease, Revision revision);

  /// Lets go of what was replaced up to `compacted`, `most` rows at most.
  Result<> drop(Revision compacted, std::size_t most);
  Result<bool> has_garbage(Revision compacted);

 private:
  Result<std::vector<Record>> records(SqliteStatement& statement);
  Result<> replace(const std::string& key, Revision revision);
  Result<std::size_t> erase_all(SqliteStatement& keys, Revision revision);

  SqliteDatabase* database_ = nullptr;
  SqliteStatement find_, list_, list_at_, changes_, put_, replace_, tombstone_, under_, of_lease_, drop_, garbage_;
};

class SqliteLeases : Pinned {
 public:
  Result<> prepare(SqliteDatabase& database);

  /// Those that ended by `now`, the first first, `most` at most.
  Result<std::vector<LeaseId>> due(BootInstant now, std::size_t most);
  /// The ttl, if it lives.
  Result<std::optional<Duration>> find(LeaseId lease, BootInstant now);
  Result<> grant(LeaseId lease, Duration ttl, BootInstant now);
  Result<> renew(LeaseId lease, BootInstant ends);
  Result<bool> remove(LeaseId lease);

 private:
  SqliteDatabase* database_ = nullptr;
  SqliteStatement due_, find_, grant_, renew_, remove_;
};

}  // namespace holdfast::store

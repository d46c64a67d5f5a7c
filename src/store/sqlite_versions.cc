#include "store/sqlite_versions.h"

#include <utility>

namespace holdfast::store {
namespace {

// Columns in this order wherever a record is read. INDEXED BY: a statement that could not use its index is refused when
// it is prepared, not slow when the store has grown.
constexpr const char* kFind =
    "SELECT key, value, created, revision, lease FROM version INDEXED BY current WHERE key = ?1 AND replaced IS NULL";
constexpr const char* kList =
    "SELECT key, value, created, revision, lease FROM version INDEXED BY current "
    "WHERE key >= ?1 AND key < ?2 AND replaced IS NULL ORDER BY key";
constexpr const char* kListAt =
    "SELECT key, value, created, revision, lease FROM version "
    "WHERE key >= ?1 AND key < ?2 AND erased = 0 AND revision <= ?3 AND (replaced IS NULL OR replaced > ?3) "
    "ORDER BY key";
constexpr const char* kChanges =
    "SELECT key, value, created, revision, lease, erased FROM version INDEXED BY by_revision "
    "WHERE revision >= ?3 AND revision <= ?4 AND key >= ?1 AND key < ?2 ORDER BY revision, id";
constexpr const char* kPut =
    "INSERT INTO version (key, value, created, revision, lease, erased) VALUES (?1, ?2, ?3, ?4, ?5, 0)";
constexpr const char* kReplace =
    "UPDATE version INDEXED BY current SET replaced = ?2 WHERE key = ?1 AND replaced IS NULL";
// A read at the revision that erased needs nothing of it, a watch from there does: it goes one later.
constexpr const char* kTombstone =
    "INSERT INTO version (key, value, created, revision, lease, erased, replaced) VALUES (?1, x'', 0, ?2, 0, 1, ?2 + "
    "1)";
constexpr const char* kUnder =
    "SELECT key FROM version INDEXED BY current WHERE key >= ?1 AND key < ?2 AND replaced IS NULL ORDER BY key";
constexpr const char* kOfLease =
    "SELECT key FROM version INDEXED BY by_lease WHERE lease = ?1 AND lease != 0 AND replaced IS NULL ORDER BY key";
constexpr const char* kDrop =
    "DELETE FROM version WHERE id IN (SELECT id FROM version INDEXED BY by_replaced WHERE replaced <= ?1 "
    "ORDER BY replaced LIMIT ?2)";
constexpr const char* kGarbage = "SELECT 1 FROM version INDEXED BY by_replaced WHERE replaced <= ?1 LIMIT 1";

/// The first key behind all that begin with `prefix`. Keys hold nothing above '~', so there is always one.
std::string end_of(const std::string& prefix) {
  if (prefix.empty()) return "\x7f";
  std::string end = prefix;
  ++end.back();
  return end;
}

Record record_of(const SqliteStatement& row) {
  return {row.text(0), row.text(1), row.number(2), row.number(3), row.number(4)};
}

std::uint64_t count_of(BootInstant instant) { return static_cast<std::uint64_t>(instant.time_since_epoch().count()); }

struct Prepared {
  SqliteStatement* statement;
  const char* sql;
};

template <std::size_t Count>
Result<> prepare_all(SqliteDatabase& database, const Prepared (&all)[Count]) {
  for (const Prepared& each : all) {
    if (Result<> done = database.prepare(*each.statement, each.sql); !done) return done;
  }
  return {};
}

}  // namespace

Result<> SqliteVersions::prepare(SqliteDatabase& database) {
  database_ = &database;
  const Prepared all[] = {{&find_, kFind},           {&list_, kList},      {&list_at_, kListAt},
                          {&changes_, kChanges},     {&put_, kPut},        {&replace_, kReplace},
                          {&tombstone_, kTombstone}, {&under_, kUnder},    {&of_lease_, kOfLease},
                          {&drop_, kDrop},           {&garbage_, kGarbage}};
  return prepare_all(database, all);
}

Result<std::vector<Record>> SqliteVersions::records(SqliteStatement& statement) {
  const ResetAtEnd reset(statement);
  std::vector<Record> all;
  while (true) {
    const Result<bool> row = statement.step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return all;
    all.push_back(record_of(statement));
  }
}

Result<std::optional<Record>> SqliteVersions::find(const std::string& key) {
  Result<std::vector<Record>> found = records(find_.bind_text(1, key));
  if (!found) return std::unexpected(std::move(found.error()));
  if (found->empty()) return std::optional<Record>();
  return std::optional<Record>(std::move(found->front()));
}

Result<std::vector<Record>> SqliteVersions::list(const std::string& prefix) {
  const std::string end = end_of(prefix);
  return records(list_.bind_text(1, prefix).bind_text(2, end));
}

Result<std::vector<Record>> SqliteVersions::list_at(const std::string& prefix, Revision at) {
  const std::string end = end_of(prefix);
  return records(list_at_.bind_text(1, prefix).bind_text(2, end).bind(3, at));
}

Result<Changes> SqliteVersions::changes(const std::string& prefix, Revision from, Revision to) {
  const std::string end = end_of(prefix);
  const ResetAtEnd reset(changes_);
  changes_.bind_text(1, prefix).bind_text(2, end).bind(3, from).bind(4, to);
  Changes changes{from, to, {}};
  std::size_t bytes = 0;
  while (true) {
    const Result<bool> row = changes_.step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return changes;
    const bool full = changes.events.size() >= kEventsPerReading || bytes >= kEventBytesPerReading;
    if (full && changes.events.back().record.modified != changes_.number(3)) {
      changes.to = changes.events.back().record.modified;
      return changes;
    }
    const bool erased = changes_.number(5) != 0;
    changes.events.push_back({erased ? Event::Kind::erased : Event::Kind::put, record_of(changes_)});
    bytes += changes.events.back().record.key.size() + changes.events.back().record.value.size();
  }
}

Result<> SqliteVersions::replace(const std::string& key, Revision revision) {
  return replace_.bind_text(1, key).bind(2, revision).run();
}

Result<> SqliteVersions::put(const std::string& key, const std::string& value, LeaseId lease, Revision revision) {
  const Result<std::optional<Record>> before = find(key);
  if (!before) return std::unexpected(before.error());
  if (before->has_value()) {
    if (Result<> done = replace(key, revision); !done) return done;
  }
  const Revision created = before->has_value() ? (*before)->created : revision;
  return put_.bind_text(1, key).bind_bytes(2, value).bind(3, created).bind(4, revision).bind(5, lease).run();
}

Result<std::size_t> SqliteVersions::erase(const std::string& key, Revision revision) {
  if (Result<> done = replace(key, revision); !done) return std::unexpected(done.error());
  if (database_->changes() == 0) return std::size_t{0};
  if (Result<> done = tombstone_.bind_text(1, key).bind(2, revision).run(); !done) {
    return std::unexpected(done.error());
  }
  return std::size_t{1};
}

Result<std::size_t> SqliteVersions::erase_all(SqliteStatement& keys, Revision revision) {
  std::vector<std::string> all;  // first all, then the erasing: a table is not changed while it is read
  {
    const ResetAtEnd reset(keys);
    while (true) {
      const Result<bool> row = keys.step();
      if (!row) return std::unexpected(row.error());
      if (!*row) break;
      all.push_back(keys.text(0));
    }
  }
  for (const std::string& key : all) {
    if (Result<std::size_t> done = erase(key, revision); !done) return done;
  }
  return all.size();
}

Result<std::size_t> SqliteVersions::erase_prefix(const std::string& prefix, Revision revision) {
  const std::string end = end_of(prefix);
  return erase_all(under_.bind_text(1, prefix).bind_text(2, end), revision);
}

Result<std::size_t> SqliteVersions::erase_of_lease(LeaseId lease, Revision revision) {
  return erase_all(of_lease_.bind(1, lease), revision);
}

Result<> SqliteVersions::drop(Revision compacted, std::size_t most) {
  return drop_.bind(1, compacted).bind(2, most).run();
}

Result<bool> SqliteVersions::has_garbage(Revision compacted) {
  const ResetAtEnd reset(garbage_);
  return garbage_.bind(1, compacted).step();
}

Result<> SqliteLeases::prepare(SqliteDatabase& database) {
  database_ = &database;
  const Prepared all[] = {{&due_, "SELECT id FROM lease INDEXED BY by_end WHERE ends <= ?1 ORDER BY ends, id LIMIT ?2"},
                          {&find_, "SELECT ttl FROM lease WHERE id = ?1 AND ends > ?2"},
                          {&grant_, "INSERT INTO lease (id, ttl, ends) VALUES (?1, ?2, ?3)"},
                          {&renew_, "UPDATE lease SET ends = max(ends, ?2) WHERE id = ?1"},
                          {&remove_, "DELETE FROM lease WHERE id = ?1"}};
  return prepare_all(database, all);
}

Result<std::vector<LeaseId>> SqliteLeases::due(BootInstant now, std::size_t most) {
  const ResetAtEnd reset(due_);
  due_.bind(1, count_of(now)).bind(2, most);
  std::vector<LeaseId> all;
  while (true) {
    const Result<bool> row = due_.step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return all;
    all.push_back(due_.number(0));
  }
}

Result<std::optional<Duration>> SqliteLeases::find(LeaseId lease, BootInstant now) {
  const ResetAtEnd reset(find_);
  const Result<bool> row = find_.bind(1, lease).bind(2, count_of(now)).step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::optional<Duration>();
  return std::optional<Duration>(Duration(static_cast<Duration::rep>(find_.number(0))));
}

Result<> SqliteLeases::grant(LeaseId lease, Duration ttl, BootInstant now) {
  return grant_.bind(1, lease).bind(2, static_cast<std::uint64_t>(ttl.count())).bind(3, count_of(now + ttl)).run();
}

Result<> SqliteLeases::renew(LeaseId lease, BootInstant ends) {
  return renew_.bind(1, lease).bind(2, count_of(ends)).run();
}

Result<bool> SqliteLeases::remove(LeaseId lease) {
  if (Result<> done = remove_.bind(1, lease).run(); !done) return std::unexpected(done.error());
  return database_->changes() != 0;
}

}  // namespace holdfast::store

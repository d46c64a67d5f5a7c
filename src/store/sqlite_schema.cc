#include "store/sqlite_schema.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>

namespace holdfast::store {
namespace {

// "hold"; user_version counts formats.
constexpr std::uint64_t kApplication = 0x686f6c64;
constexpr std::uint64_t kFormat = 1;

constexpr const char* kCreate = R"(
CREATE TABLE meta (
  world     INTEGER NOT NULL,  -- which history this is
  identity  INTEGER NOT NULL,  -- of the file: a copy has another, and becomes another world
  revision  INTEGER NOT NULL,  -- of the last transaction that wrote
  compacted INTEGER NOT NULL,  -- what was replaced up to here is gone
  boot      TEXT    NOT NULL   -- the boot of the machine in which lease.ends means something
);
CREATE TABLE version (
  id       INTEGER PRIMARY KEY,  -- the order of writes in a transaction
  revision INTEGER NOT NULL,     -- the transaction that wrote it
  key      TEXT    NOT NULL,
  erased   INTEGER NOT NULL,     -- 1: the key went with this revision
  value    BLOB    NOT NULL,
  created  INTEGER NOT NULL,     -- 0 where erased
  lease    INTEGER NOT NULL,     -- 0: none
  replaced INTEGER               -- null: current; else compaction to here lets it go
);
CREATE UNIQUE INDEX current ON version (key) WHERE replaced IS NULL;
CREATE INDEX by_lease ON version (lease) WHERE replaced IS NULL AND lease != 0;
CREATE INDEX by_revision ON version (revision);
CREATE INDEX by_replaced ON version (replaced) WHERE replaced IS NOT NULL;
CREATE TABLE lease (
  id   INTEGER PRIMARY KEY,
  ttl  INTEGER NOT NULL,
  ends INTEGER NOT NULL
);
CREATE INDEX by_end ON lease (ends);
)";

struct Invariant {
  const char* broken;  ///< how often it does not hold
  const char* words;
};

constexpr Invariant kInvariants[] = {
    {"SELECT count(*) != 1 FROM meta", "there is not one row of meta"},
    {"SELECT compacted > revision OR revision < 1 OR world = 0 FROM meta", "its revisions cannot be"},
    {"SELECT coalesce(max(revision), 0) > (SELECT revision FROM meta) FROM version", "a record is of the future"},
    {"SELECT count(*) FROM version WHERE replaced IS NULL AND (created < 1 OR created > revision OR erased)",
     "a record was changed before it was created"},
    {"SELECT count(*) FROM version INDEXED BY by_lease WHERE replaced IS NULL AND lease != 0 AND lease NOT IN (SELECT "
     "id FROM lease)",
     "a record outlived its lease"},
};

Error refuse(Code code, const std::filesystem::path& file, std::string why) {
  return {code, Side::store, std::move(why) + ": open the store " + file.string()};
}

Result<> look_at_place(const std::filesystem::path& file) {
  std::error_code error;
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  if (!std::filesystem::is_directory(folder, error)) {
    const bool denied = error == std::errc::permission_denied;
    return std::unexpected(denied ? refuse(Code::denied, file, "its folder may not be entered")
                                  : refuse(Code::missing, file, "its folder is not there: make it"));
  }
  if (std::filesystem::exists(file, error) && !std::filesystem::is_regular_file(file, error)) {
    return std::unexpected(refuse(Code::invalid, file, "it is no file: name another"));
  }
  return {};
}

/// Whether the file is new (false), ours (true), or none of our business.
Result<bool> is_ours(SqliteDatabase& database) {
  const Result<std::uint64_t> application = database.ask("PRAGMA application_id");
  if (!application) return std::unexpected(application.error());
  const Result<std::uint64_t> format = database.ask("PRAGMA user_version");
  if (!format) return std::unexpected(format.error());
  const Result<std::uint64_t> tables = database.ask("SELECT count(*) FROM sqlite_schema");
  if (!tables) return std::unexpected(tables.error());
  if (*tables == 0 && *application == 0 && *format == 0) return false;
  if (*application != kApplication) {
    return std::unexpected(refuse(Code::invalid, database.file(), "it belongs to another program: name another file"));
  }
  if (*format != kFormat) {
    return std::unexpected(refuse(Code::invalid, database.file(),
                                  "it has format " + std::to_string(*format) + ", this program knows up to " +
                                      std::to_string(kFormat) + ": use a newer program"));
  }
  return true;
}

Result<> create(SqliteDatabase& database, const SqliteWorld& world) {
  if (Result<> made = database.execute(kCreate); !made) return made;
  SqliteStatement fill;
  if (Result<> done = database.prepare(fill, "INSERT INTO meta VALUES (?1, ?2, 1, 0, ?3)"); !done) return done;
  fill.bind(1, sqlite_random()).bind(2, identity_of(database.file())).bind_text(3, world.boot);
  if (Result<> done = fill.run(); !done) return done;
  const std::string marks =
      "PRAGMA application_id=" + std::to_string(kApplication) + "; PRAGMA user_version=" + std::to_string(kFormat);
  return database.execute(marks.c_str());
}

Result<> check_data(SqliteDatabase& database) {
  const auto corrupt = [&database](const std::string& what) {
    return std::unexpected(
        refuse(Code::corrupt, database.file(), "its data are damaged: put it aside and restore a copy: " + what));
  };
  const Result<std::uint64_t> bytes = database.ask(
      "SELECT page_count * page_size FROM pragma_page_count, "
      "pragma_page_size");
  if (!bytes) return std::unexpected(bytes.error());
  if (*bytes <= kCheckedBytesMax) {
    SqliteStatement quick;
    if (Result<> done = database.prepare(quick, "PRAGMA quick_check(1)"); !done) return done;
    const Result<bool> row = quick.step();
    if (!row) return std::unexpected(row.error());
    const std::string said = quick.text(0);
    if (said != "ok") return corrupt(said);
  }
  for (const Invariant& each : kInvariants) {
    const Result<std::uint64_t> broken = database.ask(each.broken);
    if (!broken && broken.error().code == Code::internal) return corrupt(broken.error().what);
    if (!broken) return std::unexpected(broken.error());
    if (*broken != 0) return corrupt(each.words);
  }
  return {};
}

/// After a boot, and after a copy was put in place.
Result<> settle_in(SqliteDatabase& database, const SqliteWorld& world) {
  SqliteStatement meta;
  if (Result<> done = database.prepare(meta, "SELECT boot, identity FROM meta"); !done) return done;
  const Result<bool> row = meta.step();
  if (!row) return std::unexpected(row.error());
  const bool same_boot = meta.text(0) == world.boot;
  const std::uint64_t identity = identity_of(database.file());
  const bool same_file = meta.number(1) == identity;
  meta.reset();
  if (!same_boot) {
    SqliteStatement renew;
    if (Result<> done = database.prepare(renew, "UPDATE lease SET ends = ?1 + ttl"); !done) return done;
    renew.bind(1, static_cast<std::uint64_t>(world.now.time_since_epoch().count()));
    if (Result<> done = renew.run(); !done) return done;
    SqliteStatement boot;
    if (Result<> done = database.prepare(boot, "UPDATE meta SET boot = ?1"); !done) return done;
    if (Result<> done = boot.bind_text(1, world.boot).run(); !done) return done;
  }
  if (!same_file) {
    SqliteStatement renew;
    if (Result<> done = database.prepare(renew, "UPDATE meta SET world = ?1, identity = ?2"); !done) return done;
    if (Result<> done = renew.bind(1, sqlite_random()).bind(2, identity).run(); !done) return done;
  }
  return {};
}

Result<> begin_and_settle(SqliteDatabase& database, const SqliteWorld& world) {
  // Before anything is written, be it the mode of the log: is this file ours?
  if (const Result<bool> ours = is_ours(database); !ours) return std::unexpected(ours.error());
  if (Result<> done = database.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY;"
                                       "PRAGMA foreign_keys=OFF; PRAGMA cell_size_check=ON");
      !done) {
    return done;
  }
  const Result<std::uint64_t> page = database.ask("PRAGMA page_size");
  if (!page) return std::unexpected(page.error());
  const std::string limits =
      "PRAGMA journal_size_limit=" + std::to_string(kLogBytesMax) +
      "; PRAGMA wal_autocheckpoint=1000; PRAGMA max_page_count=" + std::to_string(world.bytes_max / *page);
  if (Result<> done = database.execute(limits.c_str()); !done) return done;

  if (Result<> begun = database.execute("BEGIN IMMEDIATE"); !begun) return begun;
  const Result<bool> ours = is_ours(database);  // again: another process may have made it since
  if (!ours) return std::unexpected(ours.error());
  if (!*ours) {
    if (Result<> made = create(database, world); !made) return made;
  }
  if (Result<> sound = check_data(database); !sound) return sound;
  if (Result<> settled = settle_in(database, world); !settled) return settled;
  return database.execute("COMMIT");
}

}  // namespace

// A number of its own for each file, even where a new one was given the inode of one that is gone.
std::uint64_t identity_of(const std::filesystem::path& file) {
  struct statx found{};
  if (::statx(AT_FDCWD, file.c_str(), 0, STATX_INO | STATX_BTIME, &found) != 0) return 0;
  constexpr std::uint64_t kSpread = 0x9e3779b97f4a7c15U;  // odd: no two inodes meet
  const auto seconds = static_cast<std::uint64_t>(found.stx_btime.tv_sec);
  return found.stx_ino * kSpread + seconds * 1'000'000'000 + found.stx_btime.tv_nsec;
}

Result<> open_store_file(SqliteDatabase& database, const std::filesystem::path& file, const SqliteWorld& world) {
  if (Result<> place = look_at_place(file); !place) return place;
  if (Result<> opened = database.open(file); !opened) return opened;
  // Each try waits one slice for the lock, or comes back at once where SQLite will not wait (the mode of the log): the
  // number of tries is the patience, the pause between them SQLite's own.
  const int tries_max = std::max(1, static_cast<int>(world.patience / SqliteDatabase::kLockSlice));
  for (int tries = 1;; ++tries) {
    Result<> settled = begin_and_settle(database, world);
    if (settled) return settled;
    database.roll_back();
    if (settled.error().code != Code::timed_out || tries == tries_max) {
      database.close();
      return pass(settled, "open the store");
    }
    database.wait_a_slice();
  }
}

}  // namespace holdfast::store

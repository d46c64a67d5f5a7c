#include "store/sqlite_database.h"

#include <cerrno>
#include <cstring>
#include <sqlite3.h>
#include <utility>

#include "base/check.h"

namespace holdfast::store {
namespace {

constexpr int kPrimary = 0xff;  // of an extended result code

using Meaning = std::pair<Code, const char*>;

constexpr Meaning kNoRoom = {Code::overloaded, "no room is left: free some, or raise its limit"};
constexpr Meaning kDenied = {Code::denied,
                             "it cannot be written: the user of this process needs to own it and its folder"};

Meaning meaning(int result, int system) {
  const bool full = system == ENOSPC || system == EDQUOT || system == EFBIG;
  const bool denied = system == EACCES || system == EPERM || system == EROFS;
  switch (result & kPrimary) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL: return {Code::timed_out, "another process holds it"};
    case SQLITE_FULL: return kNoRoom;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return {Code::corrupt, "its data are damaged: put it aside and restore a copy"};
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY: return kDenied;
    case SQLITE_CANTOPEN:
      if (full) return kNoRoom;
      if (system == EMFILE || system == ENFILE) return {Code::overloaded, "too many files are open: raise the limit"};
      return kDenied;  // also ENOENT: its folder is there, so it may not be made
    case SQLITE_IOERR:
      if (full) return kNoRoom;
      if (denied) return kDenied;
      return {Code::closed, "the disk failed: look into the kernel's log"};
    case SQLITE_NOMEM: return {Code::overloaded, "no memory is left"};
    case SQLITE_TOOBIG: return {Code::invalid, "too big"};
    default: return {Code::internal, "unexpected"};
  }
}

}  // namespace

SqliteStatement::~SqliteStatement() { ::sqlite3_finalize(handle_); }

SqliteStatement& SqliteStatement::bind(int place, std::uint64_t number) {
  const int done = ::sqlite3_bind_int64(handle_, place, static_cast<sqlite3_int64>(number));
  check(done == SQLITE_OK, "a statement has this place");
  return *this;
}

SqliteStatement& SqliteStatement::bind_text(int place, std::string_view text) {
  const int done = ::sqlite3_bind_text64(handle_, place, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
  check(done == SQLITE_OK, "a statement has this place");
  return *this;
}

SqliteStatement& SqliteStatement::bind_bytes(int place, std::string_view bytes) {
  // A null pointer would be NULL, not an empty value.
  const int done =
      ::sqlite3_bind_blob64(handle_, place, bytes.empty() ? "" : bytes.data(), bytes.size(), SQLITE_STATIC);
  check(done == SQLITE_OK, "a statement has this place");
  return *this;
}

Result<bool> SqliteStatement::step() {
  const int result = ::sqlite3_step(handle_);
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  Error error = database_->error(result);
  reset();
  return std::unexpected(std::move(error));
}

Result<> SqliteStatement::run() {
  while (true) {
    const Result<bool> row = step();
    if (!row) return std::unexpected(row.error());
    if (!*row) break;
  }
  reset();
  return {};
}

void SqliteStatement::reset() { ::sqlite3_reset(handle_); }

std::uint64_t SqliteStatement::number(int column) const {
  return static_cast<std::uint64_t>(::sqlite3_column_int64(handle_, column));
}

std::string SqliteStatement::text(int column) const {
  const void* const bytes = ::sqlite3_column_blob(handle_, column);
  if (bytes == nullptr) return {};
  return {static_cast<const char*>(bytes), static_cast<std::size_t>(::sqlite3_column_bytes(handle_, column))};
}

bool SqliteStatement::is_null(int column) const { return ::sqlite3_column_type(handle_, column) == SQLITE_NULL; }

Result<> SqliteDatabase::open(const std::filesystem::path& file) {
  check(handle_ == nullptr, "a database is opened once");
  file_ = file;
  const int how = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int opened = ::sqlite3_open_v2(file.c_str(), &handle_, how, nullptr);
  if (opened != SQLITE_OK) {
    Error why = error(opened);
    close();
    return std::unexpected(std::move(why));
  }
  ::sqlite3_busy_timeout(handle_, static_cast<int>(kLockSlice / 1ms));
  // What SQL in a damaged or foreign file could do to us.
  ::sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  ::sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  return {};
}

void SqliteDatabase::close() {
  if (handle_ != nullptr) ::sqlite3_close_v2(std::exchange(handle_, nullptr));
}

Result<> SqliteDatabase::execute(const char* sql) {
  const int result = ::sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) return std::unexpected(error(result));
  return {};
}

Result<> SqliteDatabase::prepare(SqliteStatement& statement, const char* sql) {
  check(statement.handle_ == nullptr, "a statement is prepared once");
  statement.database_ = this;
  const int result = ::sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement.handle_, nullptr);
  if (result != SQLITE_OK) return std::unexpected(error(result));
  return {};
}

Result<std::uint64_t> SqliteDatabase::ask(const char* sql) {
  SqliteStatement statement;
  if (Result<> prepared = prepare(statement, sql); !prepared) return std::unexpected(prepared.error());
  const Result<bool> row = statement.step();
  if (!row) return std::unexpected(row.error());
  return *row ? statement.number(0) : 0;
}

std::uint64_t SqliteDatabase::changes() const { return static_cast<std::uint64_t>(::sqlite3_changes64(handle_)); }

bool SqliteDatabase::in_transaction() const { return ::sqlite3_get_autocommit(handle_) == 0; }

void SqliteDatabase::wait_a_slice() { ::sqlite3_sleep(static_cast<int>(kLockSlice / 1ms)); }

void SqliteDatabase::roll_back() {
  if (in_transaction()) ::sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
}

bool SqliteDatabase::sync_failed() const {
  const int result = ::sqlite3_extended_errcode(handle_);
  return result == SQLITE_IOERR_FSYNC || result == SQLITE_IOERR_DIR_FSYNC;
}

Error SqliteDatabase::error(int result) const {
  const int system = handle_ == nullptr ? 0 : ::sqlite3_system_errno(handle_);
  const auto [code, remedy] = meaning(result, system);
  std::string words = handle_ == nullptr ? ::sqlite3_errstr(result) : ::sqlite3_errmsg(handle_);
  const int primary = result & kPrimary;
  if (system != 0 && (primary == SQLITE_CANTOPEN || primary == SQLITE_IOERR)) {
    words += std::string(" (") + std::strerror(system) + ")";  // NOLINT(concurrency-mt-unsafe)
  }
  return {code, Side::store, words + ": " + file_.string() + ": " + remedy};
}

std::string_view sqlite_version() { return ::sqlite3_libversion(); }

std::uint64_t sqlite_random() {
  std::uint64_t drawn = 0;
  while (drawn == 0) {
    ::sqlite3_randomness(sizeof drawn, &drawn);
    drawn >>= 1;
  }
  return drawn;
}

}  // namespace holdfast::store

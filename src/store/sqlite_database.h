// SqliteDatabase: a thin face of SQLite's C library. Failures are Results that say who has to do what; a statement
// frees itself. One connection, one thread at a time.
//
// Waiting for locks: kLockSlice at most, then Code::timed_out says that another process holds the file, nothing was
// done, and it may be tried again (store/sqlite_worker.h does, as long as anybody wants it).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/pinned.h"
#include "base/result.h"
#include "base/time.h"

struct sqlite3;
struct sqlite3_stmt;

namespace holdfast::store {

class SqliteStatement : Pinned {
 public:
  SqliteStatement() = default;
  ~SqliteStatement();

  SqliteStatement& bind(int place, std::uint64_t number);
  SqliteStatement& bind_text(int place, std::string_view text);
  SqliteStatement& bind_bytes(int place, std::string_view bytes);

  /// True: there is a row to read; false: that was all. Whatever was bound must live until then.
  Result<bool> step();
  /// Steps to the end, whatever the rows, and makes the statement ready for the next time.
  Result<> run();
  /// Ready for the next time, and no lock held. Requires: called after step(), before anybody waits.
  void reset();

  std::uint64_t number(int column) const;
  std::string text(int column) const;
  bool is_null(int column) const;

 private:
  friend class SqliteDatabase;
  class SqliteDatabase* database_ = nullptr;
  sqlite3_stmt* handle_ = nullptr;
};

/// Resets a statement when the block ends: a statement that stays half read keeps its snapshot, and the log grows.
class ResetAtEnd : Pinned {
 public:
  explicit ResetAtEnd(SqliteStatement& statement) : statement_(&statement) {}
  ~ResetAtEnd() { statement_->reset(); }

 private:
  SqliteStatement* statement_;
};

class SqliteDatabase : Pinned {
 public:
  static constexpr Duration kLockSlice = 4ms;

  SqliteDatabase() = default;
  ~SqliteDatabase() { close(); }

  /// Opens or creates (nothing is written before the first change).
  Result<> open(const std::filesystem::path& file);
  void close();

  Result<> execute(const char* sql);
  Result<> prepare(SqliteStatement& statement, const char* sql);
  /// One number, for pragmas and counts; 0 where there is no row.
  Result<std::uint64_t> ask(const char* sql);

  /// Rows that the last statement wrote or deleted.
  std::uint64_t changes() const;
  bool in_transaction() const;
  /// Where SQLite itself would not wait for a lock.
  void wait_a_slice();
  /// Ends a transaction without a word; nothing if there is none.
  void roll_back();

  const std::filesystem::path& file() const { return file_; }

  /// Whether the last call failed when all was written and only had to reach the disk.
  bool sync_failed() const;
  /// What the last call of this connection failed with: code, words, the file, and what to do about it.
  Error error(int result) const;

 private:
  std::filesystem::path file_;
  sqlite3* handle_ = nullptr;
};

/// "3.40.1"
std::string_view sqlite_version();
/// Never 0, and below 2^63.
std::uint64_t sqlite_random();

}  // namespace holdfast::store

// What stands in the file of the SQLite store, how it comes to be, and when we refuse one.
//
// Every put is a row of `version` and stays one: it is current until another put, or an erase, of the same key replaces
// it, and goes when history is compacted past that. So the present, the past and the watches read one table, and no
// value is written twice. All times are nanoseconds of the boot-time clock and mean nothing after the next boot.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "store/sqlite_database.h"

namespace holdfast::store {

/// Files up to this size are checked page by page at every start (about 1 ms a MiB).
inline constexpr std::uint64_t kCheckedBytesMax = 64ULL * 1024 * 1024;
/// The log beside the file is cut back to this.
inline constexpr std::uint64_t kLogBytesMax = 16ULL * 1024 * 1024;
/// What this process knows of the machine when it opens a store.
struct SqliteWorld {
  BootInstant now{};
  std::string boot;  ///< which boot of the machine it is
  std::uint64_t bytes_max = 0;
  Duration patience{};  ///< with a process that holds the file
};

/// What tells this file from another of the same name; 0 where there is none.
std::uint64_t identity_of(const std::filesystem::path& file);

/// Opens the store in `file`, or makes one where there is no file; after a boot every lease gets its whole ttl anew.
/// Errors: see open_sqlite(); nothing was changed then.
Result<> open_store_file(SqliteDatabase& database, const std::filesystem::path& file, const SqliteWorld& world);

}  // namespace holdfast::store

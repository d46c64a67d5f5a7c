// The store of one machine: a SQLite file, used by several processes at once. What it promises stands in store/store.h.
//
// SQLite blocks, so each store has a thread that owns its connection (store/sqlite_worker.h). A commit is on the disk
// when its outcome comes. What other processes commit is seen within some milliseconds while anybody watches.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "io/loop.h"
#include "store/store.h"

namespace holdfast::store {

/// How long opening waits for a process that holds the file, where somebody waits for it to be opened.
inline constexpr Duration kOpenPatience = 5s;

struct SqliteOptions {
  /// What leases end by. Called from two threads. None: CLOCK_BOOTTIME.
  std::function<BootInstant()> boot_clock;
  /// Which boot of the machine it is: after another, every lease has its whole ttl anew. Empty: what the kernel says.
  std::string boot;
  /// How far back reads and watches reach, at least; a tenth of it where the file is more than half full.
  std::uint64_t history_revisions = 10'000;
  Duration open_patience = kOpenPatience;
  /// How large the file may grow.
  std::uint64_t bytes_max = 1024ULL * 1024 * 1024;
};

/// Opens the store in `file`, or makes one where there is none. Blocks for some milliseconds, and for seconds where
/// another process holds the file.
/// Errors: Code::missing: no such folder; denied; corrupt: no database, or a damaged one; invalid: of another program,
/// or of a newer version of this one; overloaded: no room; timed_out: another process held it all the time. The words
/// name the file and the remedy, and nothing was changed.
Result<std::unique_ptr<Store>> open_sqlite(io::Loop& loop, const std::filesystem::path& file,
                                           SqliteOptions options = {});

}  // namespace holdfast::store

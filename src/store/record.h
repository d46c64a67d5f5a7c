// What a store holds: records under keys, each with the revisions that made it. A revision counts committed
// transactions: all that one transaction wrote has the same, and of two transactions the later has the greater.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::store {

/// 0 is before everything.
using Revision = std::uint64_t;
/// 0 is no lease.
using LeaseId = std::uint64_t;

struct Record {
  std::string key;
  std::string value;
  Revision created = 0;   ///< when the key came to be; deleting and putting it again makes it anew
  Revision modified = 0;  ///< the last transaction that put it
  LeaseId lease = 0;      ///< the record goes with this lease

  bool operator==(const Record&) const = default;
};

/// What stands under a prefix at one revision.
struct View {
  /// Which history this is. A store that was restored from a copy, or made anew, has another: what was known of the old
  /// one, its revisions above all, means nothing there.
  std::uint64_t world = 0;
  Revision revision = 0;
  std::vector<Record> records;  ///< by key
};

struct Event {
  enum class Kind : unsigned char { put, erased };
  Kind kind = Kind::put;
  Record record;  ///< erased: the key, and as `modified` the transaction that erased it; no value

  bool operator==(const Event&) const = default;
};

/// Whole transactions, in order: everything that happened under the prefix up to `revision` and was not told before.
struct Batch {
  Revision revision = 0;
  std::vector<Event> events;  ///< may be empty: nothing happened here, be it since the batch before
};

}  // namespace holdfast::store

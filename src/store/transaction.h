// Transactions: when all compares hold, all writes are done, at one revision; otherwise none. There is no other way to
// write, and correctness rests on it: whoever holds a power (leader, primary, prober) compares its token in each.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/record.h"

namespace holdfast::store {

/// What must be true of one key.
struct Compare {
  enum class Kind : unsigned char { absent, exists, created, modified, value };
  Kind kind = Kind::absent;
  std::string key;
  Revision revision = 0;  ///< of created and modified
  std::string value;      ///< of value

  static Compare absent(std::string key) { return {Kind::absent, std::move(key), 0, {}}; }
  static Compare exists(std::string key) { return {Kind::exists, std::move(key), 0, {}}; }
  static Compare created(std::string key, Revision at) { return {Kind::created, std::move(key), at, {}}; }
  static Compare modified(std::string key, Revision at) { return {Kind::modified, std::move(key), at, {}}; }
  static Compare value_is(std::string key, std::string value) {
    return {Kind::value, std::move(key), 0, std::move(value)};
  }

  bool operator==(const Compare&) const = default;
};

/// Whether `compare` holds; `record` is what stands under its key, null if nothing does.
bool holds(const Compare& compare, const Record* record);

struct Write {
  enum class Kind : unsigned char { put, erase, erase_prefix };
  Kind kind = Kind::put;
  std::string key;    ///< or the prefix
  std::string value;  ///< of put
  LeaseId lease = 0;  ///< of put: the record goes when the lease does

  static Write put(std::string key, std::string value, LeaseId lease = 0) {
    return {Kind::put, std::move(key), std::move(value), lease};
  }
  static Write erase(std::string key) { return {Kind::erase, std::move(key), {}, 0}; }
  static Write erase_prefix(std::string prefix) { return {Kind::erase_prefix, std::move(prefix), {}, 0}; }

  bool operator==(const Write&) const = default;
};

struct Transaction {
  std::vector<Compare> compares;  ///< none: it is done in any case
  std::vector<Write> writes;      ///< none: only asks
};

// Every store keeps these, so that what works on one machine works on several. etcd's own defaults are 128 and 1.5 MiB.
inline constexpr std::size_t kComparesMax = 64;
inline constexpr std::size_t kWritesMax = 100;
inline constexpr std::size_t kKeyBytesMax = 512;
inline constexpr std::size_t kValueBytesMax = 512 * 1024;
inline constexpr std::size_t kTransactionBytesMax = 1024 * 1024;  ///< keys and values together

/// A key is 1 to kKeyBytesMax visible ASCII characters; a prefix may also be empty.
/// Errors: Code::invalid.
Result<> validate_key(const std::string& key);
Result<> validate_prefix(const std::string& prefix);
/// Errors: Code::invalid: a limit above, or a key that two writes touch.
Result<> validate(const Transaction& transaction);

struct Outcome {
  enum class Kind : unsigned char {
    committed,
    refused,  ///< a compare did not hold; nothing was written
    /// It was sent and no answer came: it may be done, it may be done later, it may never be. settle() finds out.
    unknown,
  };
  Kind kind = Kind::unknown;
  /// committed: the revision of what was written (of the store, where nothing was); refused: at which it was judged.
  Revision revision = 0;
  /// refused: what stands under the keys that were compared, by key, each once.
  std::vector<Record> found;
  /// unknown: what happened, in words.
  std::string why;
};

}  // namespace holdfast::store

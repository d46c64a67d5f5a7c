#include "store/transaction.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace holdfast::store {

bool holds(const Compare& compare, const Record* record) {
  switch (compare.kind) {
    case Compare::Kind::absent: return record == nullptr;
    case Compare::Kind::exists: return record != nullptr;
    case Compare::Kind::created: return record != nullptr && record->created == compare.revision;
    case Compare::Kind::modified: return record != nullptr && record->modified == compare.revision;
    case Compare::Kind::value: return record != nullptr && record->value == compare.value;
  }
  return false;
}

namespace {

std::unexpected<Error> invalid(std::string what) { return fail(Code::invalid, Side::local, std::move(what)); }

std::unexpected<Error> too_many(std::string_view what, std::size_t number, std::size_t most) {
  return invalid(std::string(what) + ": " + std::to_string(number) + ", at most " + std::to_string(most) +
                 " are allowed");
}

bool is_visible(char c) { return c > ' ' && c < '\x7f'; }

// Enough of a key to recognise it by.
std::string excerpt(std::string_view key) {
  constexpr std::size_t kShown = 60;
  return '"' + std::string(key.substr(0, kShown)) + (key.size() > kShown ? "…\"" : "\"");
}

/// Two writes of a transaction must not meet: what they mean together would depend on the engine.
bool meet(const Write& one, const Write& other) {
  const auto covers = [](const Write& wide, const Write& narrow) {
    return wide.kind == Write::Kind::erase_prefix && narrow.key.starts_with(wide.key);
  };
  return one.key == other.key || covers(one, other) || covers(other, one);
}

}  // namespace

Result<> validate_prefix(const std::string& prefix) {
  if (prefix.size() > kKeyBytesMax) {
    return too_many("bytes of the key " + excerpt(prefix), prefix.size(), kKeyBytesMax);
  }
  if (!std::ranges::all_of(prefix, is_visible)) return invalid("a key may hold only visible ASCII characters");
  return {};
}

Result<> validate_key(const std::string& key) {
  if (key.empty()) return invalid("a key must not be empty");
  return validate_prefix(key);
}

Result<> validate(const Transaction& transaction) {
  const auto& [compares, writes] = transaction;
  if (compares.size() > kComparesMax) {
    return too_many("compares in a transaction", compares.size(), kComparesMax);
  }
  if (writes.size() > kWritesMax) {
    return too_many("writes in a transaction", writes.size(), kWritesMax);
  }
  std::size_t bytes = 0;
  for (const Compare& compare : compares) {
    if (Result<> valid = validate_key(compare.key); !valid) return valid;
    bytes += compare.key.size() + compare.value.size();
  }
  for (const Write& write : writes) {
    if (Result<> valid = validate_key(write.key); !valid) return valid;
    if (write.value.size() > kValueBytesMax) {
      return too_many("bytes of the value of " + excerpt(write.key), write.value.size(), kValueBytesMax);
    }
    bytes += write.key.size() + write.value.size();
  }
  if (bytes > kTransactionBytesMax) {
    return too_many("bytes of a transaction", bytes, kTransactionBytesMax);
  }
  for (auto one = writes.begin(); one != writes.end(); ++one) {
    const auto other = std::find_if(one + 1, writes.end(), [one](const Write& each) { return meet(*one, each); });
    if (other != writes.end()) return invalid("two writes of one transaction touch " + excerpt(other->key));
  }
  return {};
}

}  // namespace holdfast::store

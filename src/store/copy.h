// Copy: what is known of a prefix, and what changed when more becomes known. Pure; store/mirror.h feeds it.
//
// It never goes back: a batch from before what is known is not a change but a sign that the order broke.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/record.h"

namespace holdfast::store {

class Copy {
 public:
  /// Takes a whole view in place of what was known: after a start, a gap, or a change of world.
  /// Returns what changed by it, by key.
  std::vector<Event> replace(View view);

  /// What happened since.
  /// Errors: Code::stale: it does not follow what is known; nothing is changed then.
  Result<> apply(const Batch& batch);

  /// Nothing is known before the first replace().
  bool known() const { return known_; }
  std::uint64_t world() const { return world_; }
  Revision revision() const { return revision_; }
  const std::map<std::string, Record, std::less<>>& records() const { return records_; }
  View view() const;

 private:
  bool known_ = false;
  std::uint64_t world_ = 0;
  Revision revision_ = 0;
  std::map<std::string, Record, std::less<>> records_;
};

}  // namespace holdfast::store

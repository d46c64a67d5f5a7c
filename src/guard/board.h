// Board: what stands in the store about each breaker, understood. It is handed the records each time that they have
// changed, and looks only at those that did: with many breakers they are many, and some change all the time. Who does
// not know which did has them all compared.
//
// A record that cannot be understood is told once and changes nothing: what was known before goes on. Settings that
// were deleted go on for a while too, so that a slip of the finger does not take protection away (kSettingsOutlive).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "breaker/vote.h"
#include "guard/records.h"
#include "guard/settings_record.h"
#include "guard/state_record.h"
#include "guard/view.h"
#include "store/record.h"

namespace holdfast::guard {

inline constexpr Duration kSettingsOutlive = 60s;

/// What is known of one breaker.
struct Posted {
  std::optional<StateRecord> state{};
  store::Revision state_modified = 0;  ///< 0: there is no record
  std::optional<OverrideView> override{};
  store::Revision override_modified = 0;
  std::optional<SettingsChange> settings{};
  std::optional<Instant> settings_end{};                      ///< they were deleted
  std::map<std::string, breaker::Vote, std::less<>> votes{};  ///< by node
  std::optional<ProbeRecord> probe{};
  store::Revision probe_created = 0;  ///< the token of who may probe; 0: nobody may
  store::LeaseId probe_lease = 0;

  bool operator==(const Posted&) const = default;
};

class Board {
 public:
  using Records = std::map<std::string, store::Record, std::less<>>;
  using Say = std::function<void(const std::string& line)>;

  explicit Board(Say say) : say_(std::move(say)) {}

  /// Revisions mean nothing any more: learn() looks at everything.
  void begin_anew();
  /// Returns the breakers of which something is otherwise than before.
  std::set<std::string, std::less<>> learn(const Records& records, Instant now);
  /// Likewise, when only what stands under `keys` can be otherwise.
  std::set<std::string, std::less<>> learn(const Records& records, const std::set<std::string>& keys, Instant now);
  /// Settings that were deleted, and outlived it long enough, go.
  std::set<std::string, std::less<>> forget_settings(Instant now);

  /// When forget_settings() has something to do; kNever if nothing was deleted.
  Instant forgets_at() const { return forgets_at_; }

  /// What is known of it; of one that never was, nothing.
  const Posted& of(std::string_view name) const;
  /// Alive, by node.
  const std::map<std::string, store::Revision, std::less<>>& voters() const { return voters_; }

 private:
  void learn(const store::Record& record, std::set<std::string, std::less<>>& changed);
  void forget(const std::string& key, Instant now, std::set<std::string, std::less<>>& changed);
  void refuse(const std::string& key, const Error& error);

  const Say say_;
  std::map<std::string, store::Revision, std::less<>> known_;  ///< key -> modified
  std::map<std::string, Posted, std::less<>> posted_;
  Instant forgets_at_ = kNever;
  std::map<std::string, store::Revision, std::less<>> voters_;
};

}  // namespace holdfast::guard

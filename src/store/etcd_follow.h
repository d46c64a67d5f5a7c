// Follow: what the messages of a watch mean, over all the streams it is read from, and whether it may be believed.
// Pure.
//
// etcd 3.4 can lose events, repeat them, and go back in time after a partition; a member that is cut off stays silent.
// So each event is delivered once and in order or the watch is stale, and now and then somebody asks the cluster what
// was last written under the prefix and how many keys there are: that must agree with what was delivered. Source: etcd
// issues 15220, 15271, 17529, 18089; its own robustness track record.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "store/etcd_codec.h"

namespace holdfast::store::etcd {

class Follow {
 public:
  /// Follows what happens under `prefix`; `strip` bytes are taken off each key. `cluster` 0: not known yet.
  Follow(std::string prefix, std::size_t strip, Revision from, std::uint64_t cluster)
      : prefix_(std::move(prefix)), strip_(strip), from_(from == 0 ? 1 : from), told_(from_ - 1), cluster_(cluster) {}

  struct Step {
    enum class Kind : std::uint8_t { nothing, deliver, reconnect, stale };
    Kind kind = Kind::nothing;
    Batch batch;      ///< of deliver
    std::string why;  ///< of reconnect and stale
  };
  Step take(WatchAnswer answer);

  const std::string& prefix() const { return prefix_; }
  /// Where the next stream starts.
  Revision next_revision() const { return told_ + 1; }

  /// What the cluster says of the prefix, asked linearizably.
  struct Standing {
    Revision at = 0;
    Revision newest = 0;  ///< the youngest write among the keys that stand there
    std::uint64_t count = 0;
  };
  /// Before the first event: how many keys stood there just before the watch begins.
  void begins_with(std::uint64_t count) { agreed_ = Agreed{from_ - 1, count}; }
  /// Whether all that led to `standing` has been delivered. Erased keys leave no trace but their number.
  bool explains(const Standing& standing) const;
  /// It does: from here on the next one is judged.
  void agree(const Standing& standing);

 private:
  static constexpr std::size_t kRecentMax = 1024;
  static constexpr std::size_t kChangesMax = 100'000;
  struct Agreed {
    Revision at = 0;
    std::uint64_t count = 0;
  };
  struct Change {
    Revision at = 0;
    int keys = 0;  ///< how many more there are
  };

  Step take_events(std::vector<Event> events);
  void remember(const Event& event);

  std::string prefix_;
  std::size_t strip_;
  Revision from_;
  Revision told_;            ///< everything up to here has been delivered
  Revision last_event_ = 0;  ///< of the last event delivered
  std::uint64_t cluster_;
  std::deque<Revision> recent_;  ///< revisions of events delivered: what comes again is a repetition
  std::optional<Agreed> agreed_;
  std::deque<Change> changes_;  ///< since agreed_
};

}  // namespace holdfast::store::etcd

// Journal: the newest events, of the whole cluster if there is a store, otherwise of this process. It is a bounded
// list: who has appended also erases what is too old, now and then, so nobody has to be in charge of that.
//
// Writing is not its business where something else is decided with it: write_event() goes into that transaction.
// Control loop only.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/pinned.h"
#include "base/prng.h"
#include "io/loop.h"
#include "io/scope.h"
#include "journal/event.h"
#include "journal/followers.h"
#include "store/mirror.h"

namespace holdfast::journal {

/// So many are kept, and up to kOverflow more until somebody erases them.
inline constexpr std::size_t kEventsMax = 1000;
inline constexpr std::size_t kOverflow = 100;

class Journal : Pinned {
 public:
  using Say = std::function<void(const std::string& line)>;

  Journal(io::Loop& loop, Say say);
  ~Journal();

  /// From now on the events of the store are shown, and those that only this process knew are not.
  /// Requires: unshare() has ended before the store is closed.
  void share(store::Store& store);
  /// From now on those that append_local() takes are shown, after those that were known.
  io::Task<> unshare();
  bool is_shared() const { return mirror_ != nullptr; }
  /// False until what stands in the store has been read for the first time; the followers are told then.
  bool has_read() const { return mirror_ == nullptr || has_learned_; }

  /// Without a store: keeps it here. With one it does nothing: what is shown comes from there.
  void append_local(Event event);
  /// After a transaction with an event was committed: erases some of the oldest if they are too many.
  void appended();

  /// Those after `sequence`, oldest first, at most so many.
  std::vector<Event> since(std::uint64_t sequence, std::size_t limit) const;
  /// The newest so many, oldest first.
  std::vector<Event> newest(std::size_t limit) const;
  /// The number of the newest; 0 if there is none.
  std::uint64_t newest_sequence() const { return events_.empty() ? 0 : events_.rbegin()->first; }

  /// Told when there are others than before.
  Followers& followers() { return followers_; }

  io::Task<bool> idle(Deadline deadline) { return tasks_.join(deadline); }

 private:
  void learn();
  io::Task<> trim(std::vector<std::string> keys);

  io::Loop& loop_;
  const Say say_;
  std::map<std::uint64_t, Event> events_;                      ///< by sequence
  std::map<std::string, store::Revision, std::less<>> known_;  ///< key -> created, of those in the store
  Followers followers_;
  store::Store* store_ = nullptr;
  std::unique_ptr<store::Mirror> mirror_;
  bool has_learned_ = false;  ///< from this store
  bool is_trimming_ = false;
  io::Scope tasks_;
};

}  // namespace holdfast::journal

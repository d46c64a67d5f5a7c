// Session: a process's part in what all share: its store, the copy of what stands there, the lease that says it is
// alive. It decides nothing. A store that cannot be opened is tried again; what was known before a restart serves
// meanwhile.
//
// It is in touch while the store tells what happens and answers what it is asked. Who was not answered says so
// (doubt()); then it is out of touch until the store can be read again, which is tried after one second, then after
// longer ones.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "guard/board.h"
#include "io/scope.h"
#include "io/signal.h"
#include "io/stop.h"
#include "journal/journal.h"
#include "store/lease_keeper.h"
#include "store/mirror.h"
#include "store/store.h"

namespace holdfast::guard {

/// Where the store is, and who we are in it.
struct Sharing {
  std::function<Result<std::unique_ptr<store::Store>>()> open{};
  std::string node{};
  std::string zone{};
  std::filesystem::path snapshot{};  ///< what is known of `breaker/` for a start without the store; empty: nowhere
};

class Session : Pinned {
 public:
  using Say = std::function<void(const std::string& line)>;

  /// `changed` is called when there is something to learn(), or in_touch() or lease() may be otherwise.
  /// Requires: `journal` outlives it.
  Session(io::Loop& loop, Sharing sharing, journal::Journal& journal, Say say, std::function<void()> changed,
          std::uint64_t seed);
  ~Session();

  const std::string& node() const { return sharing_.node; }
  const std::string& zone() const { return sharing_.zone; }
  const Board& board() const { return board_; }

  bool in_touch() const { return mirror_ != nullptr && mirror_->in_touch() && !is_doubted_; }
  /// The board shows what stood in the store after this process began; otherwise what a former one knew.
  bool has_read() const { return has_read_; }
  /// What learn() found last has only just happened: we watched it.
  bool is_live() const { return is_live_; }
  /// The store was restored from a copy: what learn() found last is of another history.
  bool is_new_world() const { return is_new_world_; }
  /// How far what we know goes.
  store::Revision revision() const { return mirror_ == nullptr ? 0 : mirror_->copy().revision(); }

  /// Returns the breakers of which something is otherwise than before. `late`: this process did not run for a while.
  std::set<std::string, std::less<>> learn(bool late);
  /// Nodes that are alive, this one included. One that has just gone counts still: whoever is left must not believe
  /// that he is alone, when all have lost their leases at once; nor must one who has just come.
  unsigned voters() const;

  /// Requires: in_touch() has been true.
  store::Store& store() { return *store_; }
  /// What says that we live hangs on it; 0: there is none at present.
  store::LeaseId lease() const { return lease_ == nullptr ? 0 : lease_->id(); }
  /// A transaction was refused because it is gone.
  void lease_is_gone();
  /// A transaction failed, or nobody knows what became of it.
  void doubt();

  /// Gives the lease back and closes the store; await idle() before it goes.
  void stop();
  io::Task<bool> idle(Deadline deadline) { return tasks_.join(deadline); }

 private:
  io::Task<> keep();
  io::Task<bool> open_store();
  io::Task<> ask_again();
  void recall();
  void hear(const std::vector<store::Event>& events, store::Mirror::Heard heard);
  void note_voters();

  io::Loop& loop_;
  const Sharing sharing_;
  journal::Journal& journal_;
  const Say say_;
  const std::function<void()> changed_;
  const std::uint64_t seed_;
  Board board_;
  store::Copy recalled_;  ///< as long as the store could not be opened
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<store::Mirror> mirror_;
  std::unique_ptr<store::LeaseKeeper> lease_;
  bool is_doubted_ = false;
  unsigned doubts_ = 0;  ///< in a row
  Instant answered_at_{};
  bool has_read_ = false;
  Instant read_at_{};  ///< when it was read first
  // Since the last learn().
  bool is_read_anew_ = false;  ///< something may have been missed: all is to be looked at
  std::set<std::string> changed_keys_;
  bool is_live_ = false;
  std::uint64_t world_ = 0;
  bool is_new_world_ = false;
  std::map<std::string, Instant, std::less<>> seen_voters_;
  unsigned voters_ = 1;
  io::Stop stop_;
  io::Signal stopped_;
  io::Scope tasks_;
};

}  // namespace holdfast::guard

// Mirror: keeps a copy of a prefix current, whatever happens to the store: reads, watches from there, and reads anew
// when the watch has lost its place. While the store cannot be reached the copy stays as it is; with a file, also
// across a restart. Whoever decides by it is told when it has changed, and asks the store for nothing.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/pinned.h"
#include "base/prng.h"
#include "io/blocking_work.h"
#include "io/loop.h"
#include "io/scope.h"
#include "io/signal.h"
#include "io/stop.h"
#include "store/copy.h"
#include "store/store.h"

namespace holdfast::store {

class Mirror : Pinned {
 public:
  struct Options {
    std::string prefix{};
    std::filesystem::path file{};  ///< where the copy is kept for the next start; empty: nowhere
    /// Whether what stands under a key is worth keeping there. The file is written when something is otherwise that is.
    /// Empty: everything is.
    std::function<bool(std::string_view key)> keeps{};
  };
  /// Hears, for the log, of the store being lost and found again (once each), and of a file that cannot be used.
  using Say = std::function<void(const std::string& line)>;
  /// How a change became known: as it happened, or by reading anew, which finds what may have happened long ago.
  enum class Heard : unsigned char { watched, read };
  /// Called when copy() has changed, with what did.
  using Changed = std::function<void(const std::vector<Event>& events, Heard heard)>;

  /// Takes what the file has, if there is one.
  /// Requires: `store` is closed only after idle().
  Mirror(io::Loop& loop, Store& store, Options options, Say say, Changed changed);
  ~Mirror();

  /// Waits until the store has been read once.
  /// Returns false when the deadline passed first: what is known, if anything, is from the file.
  io::Task<bool> read_once(Deadline deadline);

  const Copy& copy() const { return copy_; }
  /// The store was reached the last time it was asked.
  bool in_touch() const { return in_touch_; }

  /// Ends all waiting; await idle() before the mirror goes.
  void stop();
  io::Task<bool> idle(Deadline deadline) { return tasks_.join(deadline); }

 private:
  io::Task<> keep();
  io::Task<> follow(Revision from);
  io::Task<> save_changes();
  void load();
  void lost(const Error& error);
  void found();
  void tell_changed(const std::vector<Event>& events, Heard heard);
  bool keeps(const std::string& key) const { return !options_.keeps || options_.keeps(key); }
  View worth_keeping() const;

  io::Loop& loop_;
  Store& store_;
  const Options options_;
  const Say say_;
  const Changed changed_;
  Prng prng_;
  Copy copy_;
  std::unique_ptr<Watch> watch_;
  bool in_touch_ = false;
  bool told_lost_ = false;
  bool was_read_ = false;
  unsigned failures_ = 0;  ///< in a row
  io::Stop stop_;
  io::Signal read_;
  io::Signal unsaved_;
  bool is_unsaved_ = false;
  std::optional<io::BlockingWork> disk_;  ///< where there is a file
  io::Scope tasks_;
};

/// After so many failures in a row: 100 ms, 200 ms, … 3.2 s, with up to a quarter of it added by chance.
Duration pause_before_reading_again(unsigned failures, Prng& prng);

}  // namespace holdfast::store

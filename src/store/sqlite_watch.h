// Watches of the SQLite store. A hub hears what was committed, once for all of them, and hands each what is under its
// prefix. A watch that begins, or has fallen behind, reads history by itself until it has caught up: so there is one
// bounded queue per watch, and nothing is ever lost but history.
#pragma once

#include <memory>
#include <set>

#include "io/signal.h"
#include "store/sqlite_worker.h"

namespace holdfast::store {

/// Events that wait for the owner of a watch; beyond it he reads them from history when he comes.
inline constexpr std::size_t kEventsWaitingMax = 4096;

class SqliteWatch;

class SqliteHub : Pinned {
 public:
  explicit SqliteHub(io::Loop& loop) : loop_(loop) {}

  void open(SqliteWorker& worker) { worker_ = &worker; }
  /// Ends every watch.
  void close();
  void tell(const Changes& changes);

 private:
  friend class SqliteWatch;
  void add(SqliteWatch& watch);
  void remove(SqliteWatch& watch);

  io::Loop& loop_;
  SqliteWorker* worker_ = nullptr;  ///< null once the store is closed
  Revision told_ = 0;
  std::set<SqliteWatch*> watches_;
};

class SqliteWatch final : public Watch {
 public:
  SqliteWatch(std::shared_ptr<SqliteHub> hub, std::string prefix, Revision from);
  ~SqliteWatch() override;

  io::Task<Result<Batch>> next(Deadline deadline) override;
  void close() override;

 private:
  friend class SqliteHub;
  void tell(const Changes& changes);
  void take(const Changes& changes);
  bool ended() const { return closed_ || hub_->worker_ == nullptr; }
  Batch hand_over();
  io::Task<Result<>> catch_up(Deadline deadline);

  const std::shared_ptr<SqliteHub> hub_;
  const std::string prefix_;
  Revision next_;  ///< everything before it was handed over, or waits
  Revision handed_ = 0;
  bool behind_ = true;  ///< history has to be read: what the hub tells is not what comes next
  bool closed_ = false;
  bool stale_ = false;
  bool pulse_ = false;  ///< nothing has happened, and that is to be said
  std::vector<Event> waiting_;
  std::shared_ptr<Gate> reading_;
  io::Signal wake_;
};

}  // namespace holdfast::store

// SqliteWorker: the thread on which an engine blocks, and the line of jobs before it. Jobs go there and their answers
// come back as letters between two loops; nothing is shared but the gate of each job.
//
// When a caller's time is up, its gate says whether anything was or will be done. A job that finds the file locked by
// another process goes back to the end of the line, as long as anybody waits for it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <set>

#include "io/loop_thread.h"
#include "io/scope.h"
#include "io/signal.h"
#include "store/sqlite_engine.h"

namespace holdfast::store {

/// Jobs in line, those given up included.
inline constexpr std::size_t kSqliteJobsMax = 1024;
/// How often we look for commits of other processes while somebody watches. Each costs some microseconds.
inline constexpr Duration kWatchPace = 5ms;
/// How often leases are ended, and commits of others noticed while nobody watches.
inline constexpr Duration kTidyPace = 100ms;

class SqliteWorker : Pinned {
 public:
  using Tell = std::function<void(const Changes& changes)>;
  template <class T>
  using Work = std::move_only_function<Result<T>(SqliteEngine& engine)>;

  /// `tell` hears, on `loop` and in order, what was committed, by whichever process, while anybody watches.
  SqliteWorker(io::Loop& loop, std::unique_ptr<SqliteEngine> engine, Tell tell);
  /// Requires: nobody waits.
  ~SqliteWorker();

  /// Has the engine do `work`.
  /// Errors: those of the work; Code::timed_out, Code::stopped: the gate says whether it is sure that nothing was done;
  /// Code::overloaded: too many are in line.
  template <class T>
  io::Task<Result<T>> carry_out(Work<T> work, std::shared_ptr<Gate> gate, Deadline deadline);

  /// Whoever waits for the work behind this gate gets Code::stopped, unless it has passed.
  void give_up(const std::shared_ptr<Gate>& gate);
  void watched(bool by_anybody);

  /// Gives up whatever has not passed its gate, waits for the rest, and closes the file.
  io::Task<> close();

 private:
  struct Job;
  using Attempt = std::move_only_function<bool(SqliteEngine& engine)>;

  io::Task<Result<>> wait_for(Attempt attempt, std::shared_ptr<Gate> gate, Deadline deadline);

  // On the worker's own thread.
  void try_job(std::shared_ptr<Job> job);
  void publish();
  bool publish_some(Revision newest);
  void pulse();
  io::Task<> look_around();

  io::Loop& loop_;
  std::shared_ptr<std::size_t> in_line_ = std::make_shared<std::size_t>(0);  ///< letters may outlive us
  std::set<std::shared_ptr<Job>> waiting_;
  bool closing_ = false;
  bool closed_ = false;
  io::Signal idle_;

  std::atomic<bool> watched_ = false;
  io::LoopThread thread_{"sqlite"};
  // From here on: touched on the worker's thread only, while it runs.
  std::unique_ptr<SqliteEngine> engine_;
  std::shared_ptr<const Tell> tell_;
  bool sound_ = true;  ///< it could be tidied up the last time: it is there, it is ours, and nobody holds it
  Revision told_ = 0;
  bool stopping_ = false;
  io::Signal wake_;
  io::Scope tasks_;
};

template <class T>
io::Task<Result<T>> SqliteWorker::carry_out(Work<T> work, std::shared_ptr<Gate> gate, Deadline deadline) {
  auto answer = std::make_shared<std::optional<Result<T>>>();
  Attempt attempt = [answer, work = std::move(work)](SqliteEngine& engine) mutable {
    Result<T> result = work(engine);
    if (!result && result.error().code == Code::timed_out) return false;
    answer->emplace(std::move(result));
    return true;
  };
  Result<> waited = co_await wait_for(std::move(attempt), std::move(gate), deadline);
  if (!waited) co_return std::unexpected(std::move(waited.error()));
  co_return std::move(**answer);
}

}  // namespace holdfast::store

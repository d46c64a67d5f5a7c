#include "store/sqlite_worker.h"

#include "base/check.h"

namespace holdfast::store {
namespace {

// Who is further behind reads history by himself.
constexpr Revision kRevisionsTold = 1000;

}  // namespace

struct SqliteWorker::Job : Pinned {
  Job(io::Loop& loop, Attempt attempt_, std::shared_ptr<Gate> gate_)
      : attempt(std::move(attempt_)), gate(std::move(gate_)), done(loop) {}

  Attempt attempt;  ///< the worker's
  const std::shared_ptr<Gate> gate;
  bool answered = false;  ///< the loop's
  io::Signal done;
};

SqliteWorker::SqliteWorker(io::Loop& loop, std::unique_ptr<SqliteEngine> engine, Tell tell)
    : loop_(loop),
      idle_(loop),
      engine_(std::move(engine)),
      tell_(std::make_shared<const Tell>(std::move(tell))),
      wake_(thread_.loop()),
      tasks_(thread_.loop()) {
  thread_.loop().post([this] { tasks_.add(look_around()); });
}

SqliteWorker::~SqliteWorker() {
  check(waiting_.empty(), "nobody waits for a store that goes");
  thread_.run_and_wait([this] {
    stopping_ = true;
    wake_.notify();
  });
  thread_.run_and_wait([this] { engine_.reset(); });  // a turn later: look_around() has ended
}

io::Task<Result<>> SqliteWorker::wait_for(Attempt attempt, std::shared_ptr<Gate> gate, Deadline deadline) {
  if (closing_) co_return fail(Code::stopped, Side::store, "the store is closed");
  if (*in_line_ >= kSqliteJobsMax) {
    co_return fail(Code::overloaded, Side::store, std::to_string(kSqliteJobsMax) + " calls wait for the store already");
  }
  const auto job = std::make_shared<Job>(loop_, std::move(attempt), std::move(gate));
  ++*in_line_;
  waiting_.insert(job);
  thread_.loop().post([this, job] { try_job(job); });
  const bool told = co_await job->done.wait(deadline);
  waiting_.erase(job);
  if (closing_ && waiting_.empty()) idle_.notify();
  if (job->answered) co_return Result<>{};
  const bool sure = job->gate->shut();
  if (told) co_return fail(Code::stopped, Side::store, "the store is being closed");
  co_return fail(Code::timed_out, Side::store, sure ? "nothing was done in time" : "it is being written to the disk");
}

void SqliteWorker::give_up(const std::shared_ptr<Gate>& gate) {
  for (const std::shared_ptr<Job>& job : waiting_) {
    if (job->gate == gate && gate->shut()) job->done.notify();
  }
}

void SqliteWorker::watched(bool by_anybody) {
  watched_.store(by_anybody, std::memory_order_release);
  if (by_anybody && !closing_) thread_.loop().post([this] { wake_.notify(); });
}

io::Task<> SqliteWorker::close() {
  check(!closing_, "a store is closed once");
  closing_ = true;
  for (const std::shared_ptr<Job>& job : waiting_) {
    if (job->gate->shut()) job->done.notify();
  }
  thread_.loop().post([this] {
    stopping_ = true;
    wake_.notify();
    engine_.reset();
    loop_.post([this] {
      closed_ = true;
      idle_.notify();
    });
  });
  while (!closed_ || !waiting_.empty()) co_await idle_.wait(kNever);
}

void SqliteWorker::try_job(std::shared_ptr<Job> job) {
  const bool wanted = engine_ != nullptr && !job->gate->is_shut();
  if (wanted && !job->attempt(*engine_)) {
    thread_.loop().post([this, job = std::move(job)]() mutable { try_job(std::move(job)); });
    return;
  }
  loop_.post([in_line = in_line_, job, wanted] {
    --*in_line;
    job->answered = wanted;
    job->done.notify();
  });
  if (engine_ != nullptr) publish();
}

void SqliteWorker::publish() {
  const Result<Revision> newest = engine_->newest();
  if (!newest) return;  // locked for a moment, or broken: then every call says so
  while (told_ < *newest) {
    if (!publish_some(*newest)) return;
  }
}

bool SqliteWorker::publish_some(Revision newest) {
  if (!watched_.load(std::memory_order_acquire)) {
    told_ = newest;  // a watch begins by reading history
    return true;
  }
  Changes changes = Changes::none_since(newest);
  if (newest - told_ <= kRevisionsTold) {
    Result<Changes> read = engine_->changes("", told_ + 1);
    if (read) {
      changes = std::move(*read);
    } else if (read.error().code != Code::stale) {
      return false;
    }
  }
  told_ = changes.to;
  loop_.post([tell = tell_, changes = std::move(changes)] { (*tell)(changes); });
  return true;
}

// Whoever watches hears that the store is there although nothing happens.
void SqliteWorker::pulse() {
  const Result<Revision> newest = engine_->newest();
  if (!sound_ || !newest || !watched_.load(std::memory_order_acquire)) return;
  loop_.post([tell = tell_, told = told_] { (*tell)(Changes::none_since(told)); });
}

io::Task<> SqliteWorker::look_around() {
  Instant tidy_next = thread_.loop().now();
  Instant pulse_next = tidy_next + kPulse;
  while (!stopping_) {
    const Instant now = thread_.loop().now();
    if (now >= tidy_next) {
      sound_ = engine_->tidy().has_value();  // what keeps it from working, every call reports
      tidy_next = now + kTidyPace;
    }
    publish();
    if (now >= pulse_next) {
      pulse();
      pulse_next = now + kPulse;
    }
    const Duration pace = watched_.load(std::memory_order_acquire) ? kWatchPace : kTidyPace;
    co_await wake_.wait(now + pace);
  }
}

}  // namespace holdfast::store

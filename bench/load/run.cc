#include "load/run.h"

#include <algorithm>
#include <ctime>
#include <numeric>

namespace holdfast::bench {
namespace {

constexpr Duration kPatience = 3s;              // for what is under way when an open loop ends
constexpr Duration kRetryPause = 1ms;           // after a failure
constexpr std::uint64_t kFailuresMax = 10'000;  // a proxy that refuses everything need not be asked any longer

Duration own_processor_time() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

std::uint64_t RunResult::failures_in_all() const {
  return std::accumulate(failures.begin(), failures.end(), std::uint64_t{0});
}

Run::Run(Poller& poller_, const RunOptions& options)
    : Errand(poller_, options.port, options.path, options.new_connections), options_(options) {
  for (std::size_t i = 0; i < options_.connections; ++i) free_.push_back(&clients_.emplace_back(*this));
}

RunResult Run::go() {
  Instant now = began_ = read_clock();
  window_begin_ = now + options_.warm_up;
  window_end_ = window_begin_ + options_.window;
  while (stage_ != Stage::over && result_.failures_in_all() < kFailuresMax) {
    start_due(now);
    poller.turn(next_look(now));
    now = read_clock();
    look_at_clock(now);
  }
  return result_;
}

void Run::look_at_clock(Instant now) {
  if (stage_ == Stage::warm_up && now >= window_begin_) open_window(now);
  if (stage_ == Stage::window && now >= window_end_) close_window(now);
  if (stage_ != Stage::rest) return;
  const auto busy = static_cast<std::uint64_t>(
      std::count_if(clients_.begin(), clients_.end(), [](const Client& client) { return client.busy(); }));
  const bool all_sent = !open_loop() || due(next_) >= window_end_;
  if (!open_loop() || (all_sent && busy == 0)) {
    stage_ = Stage::over;
  } else if (now >= window_end_ + kPatience) {
    // These are the slowest of all: they count with the time they have waited so far.
    for (const Client& client : clients_) {
      if (client.busy()) result_.latencies.record(now - client.scheduled());
    }
    for (; due(next_) < window_end_; ++next_) result_.latencies.record(now - due(next_)), ++result_.unanswered;
    result_.unanswered += busy;
    stage_ = Stage::over;
  }
}

void Run::open_window(Instant now) {
  const auto failures = result_.failures;
  result_ = RunResult{};
  result_.failures = failures;  // one while warming up is a failure, too
  window_begin_ = now;
  watched_before_ = processor_time_of(options_.watched_processes);
  own_before_ = own_processor_time();
  stage_ = Stage::window;
}

void Run::close_window(Instant now) {
  result_.watched = processor_time_of(options_.watched_processes) - watched_before_;
  result_.own = own_processor_time() - own_before_;
  result_.window = now - window_begin_;
  window_end_ = now;
  stage_ = Stage::rest;
}

Instant Run::next_look(Instant now) const {
  const Instant change = stage_ == Stage::warm_up ? window_begin_ : stage_ == Stage::window ? window_end_ : now + 1ms;
  if (free_.empty()) return change;
  return std::min(change, open_loop() ? std::max(due(next_), now) : now + kRetryPause);
}

Instant Run::due(std::uint64_t number) const {
  return began_ + Duration(static_cast<Duration::rep>(static_cast<double>(number) * 1e9 / options_.rate));
}

void Run::start_due(Instant now) {
  // A client that fails at once comes back into free_: each has one try.
  for (std::size_t tries = free_.size(); tries > 0 && !free_.empty(); --tries) {
    if (open_loop() && (due(next_) > now || (stage_ == Stage::rest && due(next_) >= window_end_))) return;
    Client& client = *free_.front();
    free_.pop_front();
    client.begin(open_loop() ? due(next_++) : now);
  }
}

void Run::answered(Client& client) {
  const Instant now = read_clock();
  if (stage_ == Stage::window) ++result_.requests;
  const bool counts =
      open_loop() ? client.scheduled() >= window_begin_ && stage_ != Stage::warm_up : stage_ == Stage::window;
  if (counts) result_.latencies.record(now - client.scheduled());
  if (!open_loop() && stage_ != Stage::rest) {
    client.begin(now);
  } else {
    free_.push_back(&client);
    if (open_loop() && due(next_) <= now && free_.size() == 1) start_due(now);
  }
}

void Run::failed(Client& client, Failure failure) {
  ++result_.failures[static_cast<std::size_t>(failure)];
  free_.push_back(&client);
}

}  // namespace holdfast::bench

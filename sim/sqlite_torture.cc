#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine_torture.h"
#include "io/stop.h"
#include "store/conformance.h"
#include "store/sqlite.h"

namespace holdfast::sim {
namespace {

using store::CommitSeen;
using store::Outcome;

constexpr std::size_t kWriters = 3;

store::Transaction put(std::uint64_t writer, std::uint64_t number) {
  const std::string key = "k/" + std::to_string((writer * 7 + number) % 5);
  const std::string value = "w" + std::to_string(writer) + "." + std::to_string(number);
  return {{}, {store::Write::put(key, value)}};
}

std::int64_t in_ns(Instant instant) { return instant.time_since_epoch().count(); }

io::Task<> keep_writing(Ref<io::Loop> loop, Ref<store::Store> store, std::FILE* log, std::uint64_t writer) {
  io::Stop never;
  for (std::uint64_t number = 0;; ++number) {
    store::Transaction transaction = put(writer, number);
    // Before and after, so that what was under way when it was killed is known to have been.
    std::fprintf(log, "began %lld\n", static_cast<long long>(in_ns(io::read_clock())));
    std::fflush(log);
    const Result<Outcome> outcome = co_await store->commit(std::move(transaction), loop->now() + 5s);
    const char* const how = !outcome ? "failed" : outcome->kind == Outcome::Kind::committed ? "committed" : "unknown";
    std::fprintf(log, "%s %lld %llu\n", how, static_cast<long long>(in_ns(io::read_clock())),
                 static_cast<unsigned long long>(outcome ? outcome->revision : 0));
    std::fflush(log);
    const Instant next = loop->now() + 3ms;
    co_await io::sleep_until(loop, next, never);
  }
}

// Processes that write until they are killed.
struct Writers : Pinned {
  Writers(io::Loop& loop_, std::filesystem::path folder_, std::uint64_t seed)
      : loop(&loop_), folder(std::move(folder_)), prng(seed), pids(kWriters, -1) {}
  ~Writers() { kill_all(); }

  std::string log_of(std::uint64_t writer) const { return folder / ("writer" + std::to_string(writer)); }
  void start(std::size_t place) {
    const std::string number = std::to_string(started);
    const std::string file = folder / "store";
    const std::string log = log_of(started++);
    std::string program = "/proc/self/exe";
    std::string command = "writer";
    std::array<char*, 6> arguments{program.data(),
                                   command.data(),
                                   const_cast<char*>(file.c_str()),
                                   const_cast<char*>(log.c_str()),
                                   const_cast<char*>(number.c_str()),
                                   nullptr};
    if (::posix_spawn(&pids[place], program.c_str(), nullptr, nullptr, arguments.data(), environ) != 0)
      pids[place] = -1;
  }
  void kill(std::size_t place) {
    if (pids[place] <= 0) return;
    ::kill(pids[place], SIGKILL);
    ::waitpid(pids[place], nullptr, 0);
    pids[place] = -1;
  }
  void kill_all() {
    for (std::size_t place = 0; place < pids.size(); ++place) kill(place);
  }

  io::Loop* loop;
  const std::filesystem::path folder;
  Prng prng;
  std::vector<pid_t> pids;
  std::uint64_t started = 0;
  io::Stop stop;
};

io::Task<> kill_and_start(Ref<Writers> writers) {
  while (!writers->stop.requested()) {
    const std::size_t place = writers->prng.below(kWriters);
    writers->kill(place);
    writers->start(place);
    const Instant until = writers->loop->now() + 1ms * static_cast<int>(writers->prng.below(700));
    co_await io::sleep_until(*writers->loop, until, writers->stop);
  }
  writers->kill_all();
}

io::Task<> run_with(Ref<Writers> writers, Ref<store::RandomHistory> random) {
  io::Scope killing(*writers->loop);
  killing.add(kill_and_start(writers));
  std::function<void()> heal = [&stop = writers->stop] { stop.request(); };
  co_await random->run(std::move(heal));
  co_await killing.join(kNever);
}

// What a writer wrote down, as calls of a client; the last may have no end.
void add_calls(store::History& history, const Writers& writers, std::uint64_t writer) {
  std::ifstream log(writers.log_of(writer));
  std::string how;
  std::int64_t when = 0;
  std::uint64_t number = 0;
  while (log >> how >> when) {
    if (how == "began") {
      const Outcome unknown{Outcome::Kind::unknown, 0, {}, "killed"};
      store::Call call{100 + static_cast<int>(writer), Instant(Duration(when)), kNever, {}};
      call.what = CommitSeen{put(writer, number++), unknown, Code::internal};
      history.calls.push_back(std::move(call));
      continue;
    }
    store::Revision revision = 0;
    log >> revision;
    store::Call& call = history.calls.back();
    call.ended = Instant(Duration(when));
    auto& commit = std::get<CommitSeen>(call.what);
    if (how == "failed") commit.outcome.reset();
    if (how == "committed") commit.outcome = Outcome{Outcome::Kind::committed, revision, {}, {}};
    // The log of the witness begins when it had come up: what was before is no concern of it.
    if (how == "committed" && revision <= history.first) history.calls.pop_back();
  }
}

}  // namespace

int write_until_killed(const std::string& file, const std::string& log, std::uint64_t number) {
  io::Loop loop;
  Result<std::unique_ptr<store::Store>> store = store::open_sqlite(loop, file);
  if (!store) return std::puts(store.error().what.c_str()), 1;
  store::run_on(loop, keep_writing(loop, **store, std::fopen(log.c_str(), "w"), number));
  return 0;
}

int torture_sqlite(Duration lasts, std::uint64_t seed) {
  io::Loop loop;
  const Instant until = loop.now() + lasts;
  std::size_t failures = 0;
  while (loop.now() < until) {
    std::string pattern = std::filesystem::temp_directory_path() / "holdfast-torture-XXXXXX";
    const std::filesystem::path folder = ::mkdtemp(pattern.data());
    const auto open = [&] { return std::move(*store::open_sqlite(loop, folder / "store")); };
    {
      Writers writers(loop, folder, seed);
      store::RandomHistory random(loop, seed, real_workload(), open, open);
      store::run_on(loop, run_with(writers, random));
      store::History history = random.history();
      for (std::uint64_t writer = 0; writer < writers.started; ++writer) add_calls(history, writers, writer);
      std::printf("%llu writers were killed\n", static_cast<unsigned long long>(writers.started));
      if (!tell_round(seed, random, history, {})) ++failures;
    }
    std::filesystem::remove_all(folder);
    ++seed;
  }
  return failures == 0 ? 0 : 1;
}

}  // namespace holdfast::sim

// The parts that another process plays in tests of the SQLite store; by itself it tests nothing.
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "io/loop.h"
#include "store/sqlite_child_testing.h"
#include "store/sqlite_testing.h"

namespace holdfast::store {
namespace {

constexpr Duration kPace = 2ms;  // 500 commits a second
constexpr std::uint64_t kPacedCommits = 5000;

struct Part {
  std::string name;
  std::filesystem::path file;
  int reports = -1;

  void report(std::uint64_t revision, std::uint64_t number) const {
    const ChildReport report{revision, number, io::read_clock().time_since_epoch().count()};
    EXPECT_EQ(::write(reports, &report, sizeof report), static_cast<ssize_t>(sizeof report));
  }
  void report(const Error& error) const { report(0, static_cast<std::uint64_t>(error.code)); }
};

/// Commits until it fails or is killed: the numbers 0, 1, 2, … under a hundred keys.
void write_on(const Part& part) {
  io::Loop loop;
  Result<std::unique_ptr<Store>> store = open_sqlite(loop, part.file);
  if (!store) return part.report(store.error());
  const std::string filling(2000, 'x');
  for (std::uint64_t number = 0;; ++number) {
    const std::string key = "child/" + std::to_string(number % 100);
    Transaction transaction{{}, {Write::put(key, std::to_string(number)), Write::put(key + "/more", filling)}};
    const Deadline deadline = io::read_clock() + 10s;
    const Result<Outcome> outcome = wait_for(loop, (*store)->commit(std::move(transaction), deadline));
    if (!outcome) {
      part.report(outcome.error());
      break;
    }
    if (outcome->kind == Outcome::Kind::unknown) {
      part.report(0, kUnknownReported);
      break;
    }
    part.report(outcome->revision, number);
  }
  wait_for(loop, (*store)->close());
}

io::Task<> write_paced(Ref<io::Loop> loop, Ref<Store> store, const Part* part) {
  io::Signal alarm(*loop);
  Instant next = io::read_clock();
  for (std::uint64_t number = 0; number < kPacedCommits; ++number) {
    next += kPace;
    co_await alarm.wait(next);
    Transaction transaction;
    transaction.writes.push_back(Write::put("watched/" + std::to_string(number % 1000), std::string(100, 'v')));
    const Deadline deadline = io::read_clock() + 10s;
    const Result<Outcome> outcome = co_await store->commit(std::move(transaction), deadline);
    if (outcome) part->report(outcome->revision, number);
  }
}

void write_at_a_pace(const Part& part) {
  io::Loop loop;
  Result<std::unique_ptr<Store>> store = open_sqlite(loop, part.file);
  if (!store) return part.report(store.error());
  wait_for(loop, write_paced(loop, **store, &part));
  wait_for(loop, (*store)->close());
}

void write_until_files_are_full(const Part& part) {
  ::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{1024UL * 1024, 1024UL * 1024};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  write_on(part);
}

/// The same on a disk of a MiB; then what the newest revision there is, opened again.
void write_until_disk_is_full(const Part& part) {
  const std::string folder = part.file.parent_path().string();
  const bool allowed = ::unshare(CLONE_NEWNS) == 0 &&
                       ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                       ::mount("none", folder.c_str(), "tmpfs", 0, "size=1m") == 0;
  if (!allowed) return part.report(0, kNotAllowedReported);
  write_on(part);
  const auto engine = open_engine(part.file, {});
  if (engine != nullptr) part.report(*engine->newest(), 0);
}

/// Opens it, as a user who may not write where only root may.
void only_open(const Part& part) {
  constexpr uid_t kNobody = 65534;
  if (::geteuid() == 0) {
    ASSERT_EQ(::setuid(kNobody), 0);
  }
  const Result<std::unique_ptr<SqliteEngine>> engine = SqliteEngine::open(part.file, {});
  if (!engine) return part.report(engine.error());
  part.report(1, 0);
}

TEST(SqliteChild, DISABLED_plays_its_part) {
  const char* const name = std::getenv(kChildPart);
  if (name == nullptr) GTEST_SKIP() << "a part for another process";
  const Part part{name, std::getenv(kChildFile), std::atoi(std::getenv(kChildReports))};
  if (part.name == "write") write_on(part);
  if (part.name == "pace") write_at_a_pace(part);
  if (part.name == "full") write_until_files_are_full(part);
  if (part.name == "small") write_until_disk_is_full(part);
  if (part.name == "open") only_open(part);
}

}  // namespace
}  // namespace holdfast::store

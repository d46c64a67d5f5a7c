// How fast the SQLite store is; figures and how they were taken stand in docs/decisions/0005-sqlite-store.md. By hand:
//   store_test --gtest_also_run_disabled_tests --gtest_filter='SqliteMeasure.*'
#include <algorithm>
#include <map>

#include "store/sqlite_child_testing.h"
#include "store/sqlite_testing.h"

namespace holdfast::store {
namespace {

constexpr std::size_t kCommits = 5000;

double us(Duration time) { return static_cast<double>(time.count()) / 1000; }

void print(const char* what, std::vector<Duration> all) {
  std::ranges::sort(all);
  const auto at = [&](double share) {
    return us(all[static_cast<std::size_t>(share * static_cast<double>(all.size() - 1))]);
  };
  std::printf("%s: %zu, p50 %.0f us, p99 %.0f us, max %.0f us\n", what, all.size(), at(0.5), at(0.99), at(1));
}

// Another process commits 500 times a second, for ten seconds, over a thousand keys.
TEST(SqliteMeasure, DISABLED_watch_across_processes) {
  const TestFolder folder;
  io::Loop loop;
  Result<std::unique_ptr<Store>> store = open_sqlite(loop, folder.file);
  ASSERT_TRUE(store);
  auto watch = (*store)->watch("watched/", 2);
  std::map<Revision, Instant> delivered;
  Child child("pace", folder.file);
  while (delivered.size() < kCommits) {
    const Result<Batch> batch = wait_for(loop, watch->next(io::read_clock() + 20s));
    ASSERT_TRUE(batch) << batch.error().what;
    for (const Event& event : batch->events) delivered[event.record.modified] = io::read_clock();
  }
  std::vector<Duration> latencies;
  while (latencies.size() < kCommits) {
    const std::optional<ChildReport> report = child.next();
    ASSERT_TRUE(report);
    latencies.push_back(std::max(delivered[report->revision] - Instant(Duration(report->at_ns)), Duration::zero()));
  }
  print("commit returned to event delivered", latencies);
  watch.reset();
  wait_for(loop, (*store)->close());
}

TEST(SqliteMeasure, DISABLED_commits_one_after_another) {
  const TestFolder folder;
  io::Loop loop;
  Result<std::unique_ptr<Store>> store = open_sqlite(loop, folder.file);
  ASSERT_TRUE(store);
  std::vector<Duration> latencies;
  const Instant begin = io::read_clock();
  for (std::size_t i = 0; i < kCommits; ++i) {
    const Instant before = io::read_clock();
    const Transaction transaction{{}, {Write::put("key/" + std::to_string(i % 1000), std::string(100, 'v'))}};
    const Result<Outcome> outcome = wait_for(loop, (*store)->commit(transaction, before + 10s));
    ASSERT_TRUE(outcome);
    latencies.push_back(io::read_clock() - before);
  }
  print("commit", latencies);
  std::printf("%.0f commits/s\n", static_cast<double>(kCommits) * 1e6 / us(io::read_clock() - begin));
  wait_for(loop, (*store)->close());
}

}  // namespace
}  // namespace holdfast::store

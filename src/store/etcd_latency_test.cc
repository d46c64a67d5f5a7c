// A measurement, not a test: how long after a commit another process hears of it. By hand:
//   store_test --gtest_also_run_disabled_tests --gtest_filter='EtcdLatency.*'
#include <algorithm>
#include <cstdio>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "store/etcd_for_tests.h"
#include "store/etcd_run_for_tests.h"

namespace holdfast::store {
namespace {

constexpr int kKeys = 1000;
constexpr int kWritesPerSecond = 500;
constexpr int kWrites = kWritesPerSecond * 10;

std::int64_t clock_ns() { return io::read_clock().time_since_epoch().count(); }

void print(const char* what, std::vector<std::int64_t> ns) {
  std::ranges::sort(ns);
  if (ns.empty()) return;
  const auto at = [&ns](std::size_t thousandths) {
    return static_cast<double>(ns[std::min(ns.size() - 1, ns.size() * thousandths / 1000)]) / 1e6;
  };
  std::printf("%s: %zu, p50 %.2f ms, p90 %.2f ms, p99 %.2f ms, p99.9 %.2f ms, most %.2f ms\n", what, ns.size(), at(500),
              at(900), at(990), at(999), at(1000));
  std::fflush(stdout);
}

std::string key_of(int write) { return "key/" + std::to_string(write % kKeys); }

// Values hold the instant at which their commit was begun; the monotonic clock is the same in all processes.
int hear(const EtcdOptions& options, int ready) {
  StoreRun run(options);
  const Result<View> view = run.read("key/");
  if (!view || view->records.size() != kKeys) return 1;
  std::unique_ptr<Watch> watch = run.store().watch("key/", view->revision + 1);
  run.run_for(500ms);
  if (::write(ready, "r", 1) != 1) return 1;
  std::vector<std::int64_t> latencies;
  while (latencies.size() < kWrites) {
    const Result<Batch> batch = run.next(*watch, 5s);
    if (!batch) {
      std::printf("heard %zu: %s\n", latencies.size(), batch.error().what.c_str());
      return 1;
    }
    const std::int64_t now = clock_ns();
    for (const Event& event : batch->events) {
      latencies.push_back(now - static_cast<std::int64_t>(parse_number<std::uint64_t>(event.record.value).value_or(0)));
    }
  }
  print("commit begun until heard in another process", latencies);
  return 0;
}

io::Task<> commit_one(Ref<Store> store, int write, Deadline deadline, std::vector<std::int64_t>* latencies) {
  const std::int64_t began = clock_ns();
  const Transaction put{{}, {Write::put(key_of(write), std::to_string(began))}};
  const Result<Outcome> outcome = co_await store->commit(put, deadline);
  if (outcome && outcome->kind == Outcome::Kind::committed) latencies->push_back(clock_ns() - began);
}

TEST(EtcdLatency, DISABLED_commit_to_event_in_another_process) {
  if (!EtcdForTests::installed()) GTEST_SKIP() << EtcdForTests::kNotInstalled;
  EtcdForTests etcd(3);
  ASSERT_TRUE(etcd.wait_until_healthy());
  EtcdOptions options;
  options.endpoints = etcd.urls();
  StoreRun run(options);
  for (int i = 0; i < kKeys; i += 100) {
    Transaction some;
    for (int j = i; j < i + 100; ++j) some.writes.push_back(Write::put(key_of(j), "0"));
    ASSERT_TRUE(run.commit(some).has_value());
  }
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    std::rotate(options.endpoints.begin(), options.endpoints.begin() + 1, options.endpoints.end());
    ::_exit(hear(options, ready[1]));
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  std::vector<std::int64_t> commits;
  {
    io::Scope tasks(run.loop());
    const Instant began = io::read_clock();
    for (int i = 0; i < kWrites; ++i) {
      const Instant due = began + Duration(1s) * i / kWritesPerSecond;
      if (const Instant now = io::read_clock(); due > now) run.run_for(due - now);
      tasks.add(commit_one(run.store(), i, run.in(5s), &commits));
    }
    while (tasks.size() != 0) run.loop().run_once();
  }
  print("commit begun until answered", commits);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace holdfast::store

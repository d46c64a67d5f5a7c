#include "store/sqlite.h"

#include <thread>

#include "store/sqlite_testing.h"
#include "store/sqlite_watch.h"

namespace holdfast::store {
namespace {

constexpr Duration kPatience = 20s;  // for what must happen; nobody waits for it to pass

class SqliteStoreTest : public ::testing::Test {
 protected:
  ~SqliteStoreTest() override { close(store_); }

  TestFolder folder_;
  TestClock clock_;
  io::Loop loop_;
  std::unique_ptr<Store> store_ = open();

  std::unique_ptr<Store> open() {
    Result<std::unique_ptr<Store>> store = open_sqlite(loop_, folder_.file, clock_.options());
    if (!store) ADD_FAILURE() << store.error().what;
    return std::move(*store);
  }
  void close(std::unique_ptr<Store>& store) {
    if (store == nullptr) return;
    wait_for(loop_, store->close());
    store.reset();
  }
  Deadline soon() const { return io::read_clock() + kPatience; }
  Revision put(Store& store, const std::string& key, const std::string& value, LeaseId lease = 0) {
    const Result<Outcome> outcome = wait_for(loop_, store.commit({{}, {Write::put(key, value, lease)}}, soon()));
    if (!outcome) ADD_FAILURE() << outcome.error().what;
    return outcome ? outcome->revision : 0;
  }
  std::string now(Store& store, const std::string& prefix = "") {
    return show(wait_for(loop_, store.read(prefix, soon())));
  }
  Result<Batch> next(Watch& watch) { return wait_for(loop_, watch.next(soon())); }
  std::string next_events(Watch& watch) {
    const Result<Batch> batch = next(watch);
    return batch ? show(batch->events) : std::string(to_string(batch.error().code));
  }
};

TEST_F(SqliteStoreTest, what_is_committed_is_read) {
  const Revision at = put(*store_, "a", "1");
  const Result<View> view = wait_for(loop_, store_->read("", soon()));
  ASSERT_TRUE(view);
  EXPECT_EQ(view->revision, at);
  EXPECT_EQ(show(view), "a=1");
  const Result<StoreStatus> status = wait_for(loop_, store_->status(soon()));
  ASSERT_TRUE(status);
  EXPECT_EQ(status->engine, "sqlite " + std::string(sqlite_version()));
  EXPECT_EQ(status->revision, at);
  EXPECT_GT(status->bytes, 0U);
}

TEST_F(SqliteStoreTest, what_can_never_be_is_invalid) {
  EXPECT_EQ(wait_for(loop_, store_->commit({{}, {Write::put("", "1")}}, soon())).error().code, Code::invalid);
  EXPECT_EQ(now(*store_, "a b"), "invalid");
  EXPECT_EQ(show(wait_for(loop_, store_->read("", 99, soon()))), "invalid");
  EXPECT_EQ(wait_for(loop_, store_->compact(99, soon())).error().code, Code::invalid);
  EXPECT_EQ(wait_for(loop_, store_->grant(kShortestLease - 1ns, soon())).error().code, Code::invalid);
  EXPECT_EQ(wait_for(loop_, store_->grant(kLongestLease + 1ns, soon())).error().code, Code::invalid);
  EXPECT_TRUE(wait_for(loop_, store_->grant(kShortestLease, soon())));
  EXPECT_TRUE(wait_for(loop_, store_->grant(kLongestLease, soon())));
}

TEST_F(SqliteStoreTest, a_watch_tells_history_and_then_what_comes) {
  const Revision first = put(*store_, "a", "1");
  put(*store_, "b", "1");
  const auto watch = store_->watch("a", first);
  const std::string one = std::to_string(first);
  EXPECT_EQ(next_events(*watch), one + ":a=1");
  put(*store_, "b", "2");
  put(*store_, "a", "2");
  const Result<Batch> batch = next(*watch);
  ASSERT_TRUE(batch);
  EXPECT_EQ(show(batch->events), std::to_string(first + 3) + ":a=2");
  EXPECT_EQ(batch->revision, first + 3);
}

TEST_F(SqliteStoreTest, a_watch_from_the_future_waits_for_it) {
  const Revision first = put(*store_, "a", "1");
  const auto watch = store_->watch("", first + 2);
  EXPECT_EQ(wait_for(loop_, watch->next(io::read_clock() + 1ms)).error().code, Code::timed_out);
  put(*store_, "a", "2");
  put(*store_, "a", "3");
  EXPECT_EQ(next_events(*watch), std::to_string(first + 2) + ":a=3");
}

TEST_F(SqliteStoreTest, a_watch_sees_what_another_store_commits) {
  auto other = open();
  const auto watch = other->watch("", put(*store_, "a", "1") + 1);
  EXPECT_EQ(wait_for(loop_, watch->next(io::read_clock() + 1ms)).error().code, Code::timed_out);
  const Revision at = put(*store_, "a", "2");
  EXPECT_EQ(next_events(*watch), std::to_string(at) + ":a=2");
  close(other);
  EXPECT_EQ(next_events(*watch), "stopped") << "it outlives its store";
}

// Between two looks of a watch somebody may commit, and forget it at once.
TEST_F(SqliteStoreTest, what_was_forgotten_before_it_was_told_is_no_silence) {
  const auto engine = open_engine(folder_.file, clock_.options());
  for (int round = 0; round < 20; ++round) {
    const Revision before = put(*store_, "a", "1");
    const auto watch = store_->watch("", before + 1);
    EXPECT_EQ(wait_for(loop_, watch->next(io::read_clock() + 1ms)).error().code, Code::timed_out);
    store::put(*engine, "a", "2");
    const Revision last = store::put(*engine, "a", "3");
    Gate gate;
    ASSERT_TRUE(engine->compact(last, gate));
    std::string told;
    for (int pulses = 0; pulses < 3 && told.empty(); ++pulses) told = next_events(*watch);
    EXPECT_NE(told, "") << "it heard only that nothing happened";
  }
}

TEST_F(SqliteStoreTest, a_watch_of_what_is_compacted_is_stale) {
  const Revision first = put(*store_, "a", "1");
  put(*store_, "a", "2");
  ASSERT_TRUE(wait_for(loop_, store_->compact(first + 1, soon())));
  const auto stale = store_->watch("", first);
  EXPECT_EQ(next_events(*stale), "stale");
  EXPECT_EQ(next_events(*stale), "stale");
  const auto sound = store_->watch("", first + 1);
  EXPECT_EQ(next_events(*sound), std::to_string(first + 1) + ":a=2");
}

TEST_F(SqliteStoreTest, an_owner_who_does_not_come_for_events_reads_them_from_history) {
  const auto watch = store_->watch("", 2);
  EXPECT_EQ(wait_for(loop_, watch->next(io::read_clock() + 1ms)).error().code, Code::timed_out);
  const std::size_t commits = kEventsWaitingMax / kWritesMax + 10;
  for (std::size_t i = 0; i < commits; ++i) {
    Transaction transaction;
    for (std::size_t j = 0; j < kWritesMax; ++j) {
      transaction.writes.push_back(Write::put("k" + std::to_string(j), std::to_string(i)));
    }
    ASSERT_TRUE(wait_for(loop_, store_->commit(std::move(transaction), soon())));
  }
  std::size_t events = 0;
  Revision last = 1;
  while (events < commits * kWritesMax) {
    const Result<Batch> batch = next(*watch);
    ASSERT_TRUE(batch);
    for (const Event& event : batch->events) {
      EXPECT_EQ(event.record.key, "k" + std::to_string(events % kWritesMax));
      EXPECT_EQ(event.record.value, std::to_string(events / kWritesMax));
      EXPECT_GE(event.record.modified, last);
      last = event.record.modified;
      ++events;
    }
    EXPECT_EQ(batch->revision, last);
  }
}

TEST_F(SqliteStoreTest, closing_a_watch_ends_its_wait) {
  const auto watch = store_->watch("", 1);
  std::optional<Result<Batch>> result;
  io::Scope scope(loop_);
  scope.add(keep(watch->next(soon()), &result));
  watch->close();
  while (scope.size() != 0) loop_.run_once();
  EXPECT_EQ(result->error().code, Code::stopped);
  EXPECT_EQ(next_events(*watch), "stopped");
}

TEST_F(SqliteStoreTest, a_lease_ends_without_anybody_asking) {
  const LeaseId lease = wait_for(loop_, store_->grant(2s, soon()))->id;
  const Revision at = put(*store_, "a", "1", lease);
  const auto watch = store_->watch("", at + 1);
  clock_.pass(2s);
  EXPECT_EQ(next_events(*watch), std::to_string(at + 1) + ":-a");
}

TEST_F(SqliteStoreTest, a_term_is_counted_from_before_it_was_asked_for) {
  const BootInstant before = clock_.now();
  const Result<LeaseTerm> term = wait_for(loop_, store_->grant(2s, soon()));
  ASSERT_TRUE(term);
  EXPECT_EQ(term->since, before);
  EXPECT_EQ(term->ttl, 2s);
  clock_.pass(1s);
  const Result<LeaseTerm> kept = wait_for(loop_, store_->keep_alive(term->id, soon()));
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->ends(), before + 3s);
  EXPECT_EQ(wait_for(loop_, store_->keep_alive(term->id + 1, soon())).error().code, Code::missing);
}

TEST_F(SqliteStoreTest, a_commit_that_cannot_begin_in_time_is_surely_not_written) {
  SqliteDatabase other;
  ASSERT_TRUE(other.open(folder_.file));
  ASSERT_TRUE(other.execute("BEGIN IMMEDIATE"));
  const Deadline deadline = io::read_clock() + 20ms;
  const Result<Outcome> outcome = wait_for(loop_, store_->commit({{}, {Write::put("a", "1")}}, deadline));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::timed_out);
  EXPECT_EQ(now(*store_), "") << "who reads does not wait for who writes";
  other.roll_back();
  put(*store_, "b", "1");
  EXPECT_EQ(now(*store_), "b=1");
}

TEST_F(SqliteStoreTest, a_line_that_is_full_takes_no_more) {
  SqliteDatabase other;
  ASSERT_TRUE(other.open(folder_.file));
  ASSERT_TRUE(other.execute("BEGIN IMMEDIATE"));
  std::vector<std::optional<Result<Outcome>>> results(kSqliteJobsMax + 1);
  io::Scope scope(loop_);
  for (std::size_t i = 0; i < results.size(); ++i) {
    scope.add(keep(store_->commit({{}, {Write::put("k" + std::to_string(i), "v")}}, soon()), &results[i]));
    EXPECT_EQ(scope.size(), std::min(i + 1, kSqliteJobsMax));
  }
  ASSERT_TRUE(results.back().has_value());
  EXPECT_EQ(results.back()->error().code, Code::overloaded);
  other.roll_back();
  while (scope.size() != 0) loop_.run_once();
  EXPECT_TRUE(results.front()->has_value());
}

TEST_F(SqliteStoreTest, closing_ends_whatever_waits) {
  SqliteDatabase other;
  ASSERT_TRUE(other.open(folder_.file));
  ASSERT_TRUE(other.execute("BEGIN IMMEDIATE"));
  std::optional<Result<Outcome>> outcome;
  std::optional<Result<Batch>> batch;
  const auto watch = store_->watch("", 99);
  io::Scope scope(loop_);
  scope.add(keep(store_->commit({{}, {Write::put("a", "1")}}, kNever), &outcome));
  scope.add(keep(watch->next(kNever), &batch));
  close(store_);
  while (scope.size() != 0) loop_.run_once();
  EXPECT_EQ(outcome->error().code, Code::stopped);
  EXPECT_EQ(batch->error().code, Code::stopped);
}

TEST_F(SqliteStoreTest, writers_on_two_loops_take_turns) {
  constexpr int kEach = 100;
  const auto write = [this](io::Loop& loop, const std::string& key) {
    Result<std::unique_ptr<Store>> store = open_sqlite(loop, folder_.file, clock_.options());
    ASSERT_TRUE(store);
    for (int i = 0; i < kEach; ++i) {
      const Transaction transaction{{}, {Write::put(key, std::to_string(i)), Write::put("shared/" + key, "v")}};
      const Result<Outcome> outcome = wait_for(loop, (*store)->commit(transaction, soon()));
      ASSERT_TRUE(outcome) << outcome.error().what;
    }
    wait_for(loop, (*store)->close());
  };
  const auto watch = store_->watch("", 2);
  std::jthread one([&] {
    io::Loop loop;
    write(loop, "one");
  });
  std::jthread two([&] {
    io::Loop loop;
    write(loop, "two");
  });
  std::vector<Revision> seen;
  while (seen.size() < std::size_t{4} * kEach) {
    const Result<Batch> batch = next(*watch);
    ASSERT_TRUE(batch) << batch.error().what;
    for (const Event& event : batch->events) seen.push_back(event.record.modified);
  }
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], 2 + i / 2) << "a gap, or a transaction in pieces";
}

}  // namespace
}  // namespace holdfast::store

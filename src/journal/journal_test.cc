#include "journal/journal.h"

#include <gtest/gtest.h>

#include "io/stop.h"
#include "store/simulated.h"

namespace holdfast::journal {
namespace {

constexpr std::int64_t kWall_us = 1'795'464'000'123'000;

Event make(const std::string& what, std::int64_t wall_us = kWall_us) {
  return {0, wall_us, "breaker feed->profile", what, "why", "node a"};
}

TEST(Event, reads_back_what_it_writes_under_a_key_that_begins_with_its_time) {
  Prng prng(1);
  const store::Write write = write_event(make("opened"), prng);
  EXPECT_TRUE(store::validate_key(write.key));
  EXPECT_TRUE(write.key.starts_with("event/000660f709ef3078-")) << write.key;
  EXPECT_EQ(write.key.size(), std::string("event/0123456789abcdef-01234567").size());
  const store::Record record{write.key, write.value, 42, 42, 0};
  Event event = make("opened");
  event.sequence = 42;
  EXPECT_EQ(*parse_event(record), event);
  EXPECT_NE(write_event(make("opened"), prng).key, write.key);
}

TEST(Event, refuses_what_is_none) {
  for (const char* value :
       {"", "{}", "[]", R"({"time":5})", R"({"time":"noon"})", R"({"time":"2026-01-01T00:00:00Z","what":7})"}) {
    EXPECT_FALSE(parse_event({"event/x", value, 1, 1, 0})) << value;
  }
}

struct JournalTest : testing::Test {
  io::Loop loop{io::SimulatedTime{}};
  std::vector<std::string> said;
  Journal journal{loop, [this](const std::string& line) { said.push_back(line); }};

  void run(io::Task<> task) {
    io::Scope tasks(loop);
    tasks.add(std::move(task));
    while (tasks.size() != 0) ASSERT_TRUE(loop.run_once());
  }
};

TEST_F(JournalTest, without_a_store_keeps_the_newest_of_this_process) {
  int told = 0;
  const Followers::Hook hook(journal.followers(), [&told] { ++told; });
  for (std::size_t i = 0; i < kEventsMax + 1; ++i) journal.append_local(make(std::to_string(i)));
  EXPECT_EQ(told, static_cast<int>(kEventsMax + 1));
  EXPECT_EQ(journal.newest_sequence(), kEventsMax + 1);
  EXPECT_EQ(journal.since(0, 5000).size(), kEventsMax);
  EXPECT_EQ(journal.since(0, 1).front().what, "1") << "the first one is gone";
  EXPECT_EQ(journal.newest(2).front().what, "999");
  EXPECT_TRUE(journal.since(kEventsMax + 1, 10).empty());
}

io::Task<> write_some(Ref<io::Loop> loop, Ref<store::Store> store, Ref<Journal> journal, int count, int* at) {
  Prng prng(7);
  for (int i = 0; i < count; ++i) {
    store::Transaction transaction;
    transaction.writes.push_back(write_event(make(std::to_string(*at), kWall_us + 1000 * *at), prng));
    ++*at;
    (void)co_await store->commit(std::move(transaction), loop->now() + 1s);
    journal->appended();
  }
  io::Stop never;
  co_await io::sleep_until(loop, loop->now() + 1s, never);
}

io::Task<> leave(Ref<store::Store> store, Ref<Journal> journal) {
  co_await journal->unshare();
  co_await store->close();
}

TEST_F(JournalTest, with_a_store_shows_what_stands_there_in_order_and_is_trimmed) {
  store::SimulatedEngine engine(loop, 1);
  const std::unique_ptr<store::Store> store = engine.connect_well();
  journal.append_local(make("mine"));
  journal.share(*store);
  int at = 0;
  run(write_some(loop, *store, journal, 50, &at));
  ASSERT_EQ(journal.since(0, 1000).size(), 50U) << "what only this process knew is not shown";
  const std::vector<Event> some = journal.since(journal.since(0, 10).back().sequence, 5);
  ASSERT_EQ(some.size(), 5U);
  EXPECT_EQ(some.front().what, "10");
  EXPECT_LT(some[0].sequence, some[1].sequence);

  run(write_some(loop, *store, journal, 1500, &at));
  const std::size_t left = engine.keyspace().records().size();
  EXPECT_GE(left, kEventsMax);
  EXPECT_LE(left, kEventsMax + kOverflow + 20);
  EXPECT_EQ(journal.newest(1).front().what, "1549");
  run(leave(*store, journal));
  journal.append_local(make("mine"));
  EXPECT_EQ(journal.newest(1).front().what, "mine");
  EXPECT_TRUE(said.empty());
}

io::Task<> write_nonsense(Ref<io::Loop> loop, Ref<store::Store> store) {
  store::Transaction transaction;
  transaction.writes.push_back(store::Write::put("event/zzz", "what?"));
  (void)co_await store->commit(std::move(transaction), loop->now() + 1s);
}

TEST_F(JournalTest, a_record_that_is_no_event_is_told_and_harms_no_other) {
  store::SimulatedEngine engine(loop, 1);
  const std::unique_ptr<store::Store> store = engine.connect_well();
  journal.share(*store);
  int at = 0;
  run(write_nonsense(loop, *store));
  run(write_some(loop, *store, journal, 3, &at));
  EXPECT_EQ(journal.newest(10).size(), 3U);
  ASSERT_EQ(said.size(), 1U);
  EXPECT_TRUE(said[0].starts_with("not shown: the record event/zzz")) << said[0];
  run(leave(*store, journal));
}

}  // namespace
}  // namespace holdfast::journal

#include "store/sqlite_engine.h"

#include "store/sqlite_testing.h"

namespace holdfast::store {
namespace {

class SqliteEngineTest : public ::testing::Test {
 protected:
  TestFolder folder_;
  TestClock clock_;
  std::unique_ptr<SqliteEngine> engine_ = open_engine(folder_.file, clock_.options());
  Gate open_;

  void open_again(SqliteOptions options) {
    engine_.reset();
    engine_ = open_engine(folder_.file, std::move(options));
  }
  std::string now(const std::string& prefix = "") { return show(engine_->read(prefix, 0)); }
};

TEST_F(SqliteEngineTest, a_transaction_that_writes_makes_one_revision) {
  const Revision first = put(*engine_, "a", "1");
  EXPECT_EQ(commit(*engine_, {{}, {Write::put("a", "2"), Write::put("b", "3")}}), first + 1);
  const Result<View> view = engine_->read("", 0);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->revision, first + 1);
  EXPECT_NE(view->world, 0U);
  const std::vector<Record> expected = {{"a", "2", first, first + 1, 0}, {"b", "3", first + 1, first + 1, 0}};
  EXPECT_EQ(view->records, expected);
}

TEST_F(SqliteEngineTest, what_changes_nothing_makes_no_revision) {
  const Revision first = put(*engine_, "a", "1");
  EXPECT_EQ(commit(*engine_, {{}, {Write::erase("b"), Write::erase_prefix("c/")}}), first);
  EXPECT_EQ(commit(*engine_, {{Compare::exists("a")}, {}}), first);
  EXPECT_EQ(commit(*engine_, {{}, {Write::put("a", "1")}}), first + 1) << "a put is one, whatever stood there";
}

TEST_F(SqliteEngineTest, refusing_tells_what_was_found_each_once_by_key) {
  put(*engine_, "b", "1");
  const Revision last = put(*engine_, "a", "");
  const Transaction transaction{
      {Compare::exists("b"), Compare::absent("c"), Compare::value_is("b", "2"), Compare::exists("a")},
      {Write::put("d", "1")}};
  const Result<Outcome> outcome = engine_->commit(transaction, open_);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, Outcome::Kind::refused);
  EXPECT_EQ(outcome->revision, last);
  const std::vector<Record> expected = {{"a", "", last, last, 0}, {"b", "1", last - 1, last - 1, 0}};
  EXPECT_EQ(outcome->found, expected);
  EXPECT_EQ(now(), "a= b=1");
}

TEST_F(SqliteEngineTest, a_key_that_was_erased_and_put_again_is_made_anew) {
  const Revision first = put(*engine_, "a", "1");
  commit(*engine_, {{}, {Write::erase("a")}});
  EXPECT_EQ(now(), "");
  put(*engine_, "a", "2");
  EXPECT_EQ(engine_->read("a", 0)->records.front().created, first + 2);
}

TEST_F(SqliteEngineTest, a_prefix_ends_where_it_ends) {
  commit(*engine_, {{}, {Write::put("a", "0"), Write::put("a/", "1"), Write::put("a/~", "2"), Write::put("a0", "3")}});
  EXPECT_EQ(now("a/"), "a/=1 a/~=2");
  EXPECT_EQ(now("a/~"), "a/~=2");
  commit(*engine_, {{}, {Write::erase_prefix("a/")}});
  EXPECT_EQ(now(), "a=0 a0=3");
}

TEST_F(SqliteEngineTest, values_may_hold_any_byte) {
  const std::string bytes("\0\xff'\n", 4);
  put(*engine_, "a", bytes);
  EXPECT_EQ(engine_->read("", 0)->records.front().value, bytes);
}

TEST_F(SqliteEngineTest, reads_at_any_revision_that_is_not_compacted) {
  const Revision first = put(*engine_, "a", "1");
  put(*engine_, "b", "1");
  put(*engine_, "a", "2");
  commit(*engine_, {{}, {Write::erase("a")}});
  const std::string expected[] = {"a=1", "a=1 b=1", "a=2 b=1", "b=1"};
  for (Revision i = 0; i < 4; ++i) {
    EXPECT_EQ(show(engine_->read("", first + i)), expected[i]);
    EXPECT_EQ(engine_->read("", first + i)->revision, first + i);
  }
  EXPECT_EQ(show(engine_->read("", first + 4)), "invalid");

  ASSERT_TRUE(engine_->compact(first + 2, open_));
  EXPECT_EQ(show(engine_->read("", first + 1)), "stale");
  EXPECT_EQ(show(engine_->read("", first + 2)), "a=2 b=1");
  EXPECT_EQ(show(engine_->read("", first + 3)), "b=1");
  EXPECT_EQ(engine_->status()->compacted, first + 2);
  EXPECT_TRUE(engine_->compact(first, open_)) << "less than is forgotten already";
  EXPECT_EQ(engine_->compact(first + 4, open_).error().code, Code::invalid);
}

TEST_F(SqliteEngineTest, changes_are_told_in_order_from_any_revision_that_is_not_compacted) {
  const Revision first = put(*engine_, "a", "1");
  commit(*engine_, {{}, {Write::put("c", "1"), Write::put("b", "1"), Write::erase("a")}});
  put(*engine_, "x", "1");
  const std::string one = std::to_string(first);
  const std::string two = std::to_string(first + 1);
  const std::string three = std::to_string(first + 2);
  const std::string rest = two + ":c=1 " + two + ":b=1 " + two + ":-a " + three + ":x=1";
  EXPECT_EQ(show(engine_->changes("", 0)->events), one + ":a=1 " + rest);
  EXPECT_EQ(show(engine_->changes("a", first)->events), one + ":a=1 " + two + ":-a");
  EXPECT_EQ(engine_->changes("a", first)->to, first + 2);
  ASSERT_TRUE(engine_->compact(first + 1, open_));
  EXPECT_EQ(show(engine_->changes("", first + 1)->events), rest) << "what erased at the compacted revision is told";
  EXPECT_EQ(engine_->changes("", first).error().code, Code::stale);
  ASSERT_TRUE(engine_->compact(first + 2, open_));
  EXPECT_EQ(show(engine_->changes("", first + 2)->events), three + ":x=1");
  EXPECT_EQ(now(), "b=1 c=1 x=1");
}

TEST_F(SqliteEngineTest, an_erased_event_has_its_key_and_revision_and_no_more) {
  put(*engine_, "a", "1");
  const Revision last = commit(*engine_, {{}, {Write::erase("a")}});
  const Event expected{Event::Kind::erased, {"a", "", 0, last, 0}};
  EXPECT_EQ(engine_->changes("", last)->events, std::vector<Event>{expected});
}

TEST_F(SqliteEngineTest, a_reading_of_history_ends_between_transactions) {
  const std::size_t transactions = kEventsPerReading / 50 + 2;
  for (std::size_t i = 0; i < transactions; ++i) {
    Transaction transaction;
    for (int j = 0; j < 50; ++j) transaction.writes.push_back(Write::put("k" + std::to_string(j), "v"));
    commit(*engine_, transaction);
  }
  const Result<Changes> first = engine_->changes("", 0);
  EXPECT_EQ(first->events.size(), kEventsPerReading);
  const Result<Changes> rest = engine_->changes("", first->to + 1);
  EXPECT_EQ(rest->events.size(), 100U);
  EXPECT_EQ(rest->to, *engine_->newest());
}

TEST_F(SqliteEngineTest, history_is_kept_as_long_as_promised_and_then_let_go) {
  SqliteOptions options = clock_.options();
  options.history_revisions = 50;
  open_again(std::move(options));
  Revision last = 0;
  for (int i = 0; i < 400; ++i) last = put(*engine_, "a", std::to_string(i));
  EXPECT_GE(engine_->status()->compacted, last - 151);
  EXPECT_LE(engine_->status()->compacted, last - 50);
  EXPECT_TRUE(engine_->changes("", last - 50));
  EXPECT_LE(engine_->changes("", engine_->status()->compacted)->events.size(), 152U);
}

TEST_F(SqliteEngineTest, a_file_that_fills_keeps_less_history_instead_of_refusing) {
  SqliteOptions options = clock_.options();
  options.history_revisions = 1000;
  options.bytes_max = 4UL * 1024 * 1024;
  open_again(std::move(options));
  const std::string value(10'000, 'v');  // a thousand of them would not have room
  for (int i = 0; i < 1500; ++i) ASSERT_NE(put(*engine_, "a", value), 0U) << i;
  EXPECT_TRUE(engine_->changes("", *engine_->newest() - 100));
}

TEST_F(SqliteEngineTest, a_file_that_is_removed_or_replaced_under_us_ends_the_store) {
  put(*engine_, "a", "1");
  std::filesystem::rename(folder_.file, folder_.path / "elsewhere");
  EXPECT_EQ(now(), "closed");
  const auto other = open_engine(folder_.path / "new", clock_.options());
  std::filesystem::copy_file(folder_.path / "new", folder_.file);
  const Result<Outcome> outcome = engine_->commit({{}, {Write::put("a", "2")}}, open_);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::closed);
}

TEST_F(SqliteEngineTest, a_shut_gate_means_that_nothing_was_written) {
  Gate shut;
  ASSERT_TRUE(shut.shut());
  const Result<Outcome> outcome = engine_->commit({{}, {Write::put("a", "1")}}, shut);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::timed_out);
  EXPECT_EQ(now(), "");
  Gate passed;
  ASSERT_TRUE(engine_->commit({{}, {Write::put("a", "1")}}, passed));
  EXPECT_FALSE(passed.shut());
}

TEST_F(SqliteEngineTest, a_lease_ends_at_its_ttl_and_takes_its_records_at_one_revision) {
  const LeaseId lease = *engine_->grant(2s, open_);
  const Revision put_at = commit(*engine_, {{}, {Write::put("a", "1", lease), Write::put("b", "1", lease)}});
  put(*engine_, "c", "1");
  clock_.pass(2s - 1ns);
  EXPECT_EQ(now(), "a=1 b=1 c=1");
  EXPECT_EQ(engine_->read("a", 0)->records.front().lease, lease);
  clock_.pass(1ns);
  EXPECT_EQ(now(), "c=1");
  const std::string gone = std::to_string(put_at + 2);
  EXPECT_EQ(show(engine_->changes("", put_at + 2)->events), gone + ":-a " + gone + ":-b");
  EXPECT_EQ(engine_->keep_alive(lease, open_).error().code, Code::missing);
  EXPECT_EQ(engine_->commit({{}, {Write::put("a", "1", lease)}}, open_).error().code, Code::missing);
  EXPECT_TRUE(engine_->revoke(lease, open_)) << "gone already is no error";
}

TEST_F(SqliteEngineTest, a_lease_that_is_kept_alive_lives_its_ttl_from_then) {
  const LeaseId lease = *engine_->grant(2s, open_);
  put(*engine_, "a", "1", lease);
  clock_.pass(1500ms);
  EXPECT_EQ(*engine_->keep_alive(lease, open_), 2s);
  clock_.pass(1999ms);
  EXPECT_EQ(now(), "a=1");
  clock_.pass(1ms);
  EXPECT_EQ(now(), "");
}

TEST_F(SqliteEngineTest, a_record_goes_with_the_lease_of_its_last_put_only) {
  const LeaseId first = *engine_->grant(2s, open_);
  const LeaseId second = *engine_->grant(2s, open_);
  commit(*engine_, {{}, {Write::put("a", "1", first), Write::put("b", "1", first)}});
  commit(*engine_, {{}, {Write::put("a", "2", second), Write::put("b", "2")}});
  ASSERT_TRUE(engine_->revoke(first, open_));
  EXPECT_EQ(now(), "a=2 b=2");
  ASSERT_TRUE(engine_->revoke(second, open_));
  EXPECT_EQ(now(), "b=2");
}

TEST_F(SqliteEngineTest, after_a_boot_every_lease_has_its_whole_ttl_anew) {
  const LeaseId lease = *engine_->grant(10s, open_);
  put(*engine_, "a", "1", lease);
  clock_.count = Duration(3s).count();  // it starts again at nothing
  SqliteOptions second = clock_.options();
  second.boot = "second";
  open_again(second);
  clock_.pass(10s - 1ns);
  EXPECT_EQ(now(), "a=1");
  clock_.pass(1ns);
  EXPECT_EQ(now(), "");
}

TEST_F(SqliteEngineTest, opening_again_in_the_same_boot_gives_a_lease_nothing) {
  const LeaseId lease = *engine_->grant(10s, open_);
  put(*engine_, "a", "1", lease);
  clock_.pass(9s);
  open_again(clock_.options());
  EXPECT_EQ(now(), "a=1");
  clock_.pass(1s);
  EXPECT_EQ(now(), "");
}

TEST_F(SqliteEngineTest, tidying_ends_leases) {
  put(*engine_, "a", "1", *engine_->grant(1s, open_));
  const Revision before = *engine_->newest();
  clock_.pass(1s);
  ASSERT_TRUE(engine_->tidy());
  EXPECT_EQ(*engine_->newest(), before + 1);
}

TEST_F(SqliteEngineTest, two_engines_on_one_file_see_each_other) {
  const auto other = open_engine(folder_.file, clock_.options());
  const Revision first = put(*engine_, "a", "1");
  EXPECT_EQ(*other->newest(), first);
  EXPECT_EQ(put(*other, "a", "2"), first + 1);
  EXPECT_EQ(*engine_->newest(), first + 1);
  EXPECT_EQ(now(), "a=2");
  EXPECT_EQ(engine_->status()->world, other->status()->world);
}

TEST_F(SqliteEngineTest, a_file_that_another_holds_is_a_matter_of_time) {
  SqliteDatabase other;
  ASSERT_TRUE(other.open(folder_.file));
  ASSERT_TRUE(other.execute("BEGIN IMMEDIATE"));
  const Result<Outcome> outcome = engine_->commit({{}, {Write::put("a", "1")}}, open_);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::timed_out);
  EXPECT_EQ(now(), "") << "reading goes on";
  other.roll_back();
  EXPECT_NE(put(*engine_, "a", "1"), 0U);
}

TEST_F(SqliteEngineTest, a_copy_of_the_file_is_another_world) {
  put(*engine_, "a", "1");
  const std::uint64_t world = engine_->status()->world;
  open_again(clock_.options());
  EXPECT_EQ(engine_->status()->world, world);
  engine_.reset();
  std::filesystem::copy_file(folder_.file, folder_.path / "copy");
  std::filesystem::rename(folder_.path / "copy", folder_.file);
  open_again(clock_.options());
  EXPECT_NE(engine_->status()->world, world);
  EXPECT_EQ(now(), "a=1");
}

TEST_F(SqliteEngineTest, a_store_that_is_full_takes_nothing_and_keeps_what_it_has) {
  SqliteOptions options = clock_.options();
  options.bytes_max = 256UL * 1024;
  open_again(std::move(options));
  put(*engine_, "small", "1");
  const Result<Outcome> outcome = engine_->commit({{}, {Write::put("big", std::string(kValueBytesMax, 'x'))}}, open_);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::overloaded);
  EXPECT_NE(outcome.error().what.find("store.db"), std::string::npos) << outcome.error().what;
  EXPECT_EQ(now(), "small=1");
  EXPECT_NE(put(*engine_, "small", "2"), 0U);
}

}  // namespace
}  // namespace holdfast::store

// The store over a real etcd: what each method of the face does. What every engine must do is asked by the conformance
// suite; here stands what is etcd's own.
#include "store/etcd_store.h"

#include <gtest/gtest.h>

#include "store/etcd_for_tests.h"
#include "store/etcd_run_for_tests.h"

namespace holdfast::store {
namespace {

class EtcdStoreOfOne : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!EtcdForTests::installed()) return;
    etcd_ = std::make_unique<EtcdForTests>();
    ASSERT_TRUE(etcd_->wait_until_healthy());
  }
  static void TearDownTestSuite() { etcd_.reset(); }
  void SetUp() override {
    if (etcd_ == nullptr) GTEST_SKIP() << EtcdForTests::kNotInstalled;
  }

  /// Keys of their own for each test.
  static EtcdOptions options() {
    EtcdOptions options;
    options.endpoints = etcd_->urls();
    options.prefix = std::string("/") + testing::UnitTest::GetInstance()->current_test_info()->name() + "/";
    return options;
  }

  static std::unique_ptr<EtcdForTests> etcd_;
};

std::unique_ptr<EtcdForTests> EtcdStoreOfOne::etcd_;

Transaction put(const std::string& key, const std::string& value, LeaseId lease = 0) {
  return {{}, {Write::put(key, value, lease)}};
}

TEST_F(EtcdStoreOfOne, puts_and_reads_under_its_prefix_only) {
  StoreRun run(options());
  const Result<Outcome> done = run.commit(put("b", "2"));
  ASSERT_TRUE(done.has_value()) << done.error().what;
  EXPECT_EQ(done->kind, Outcome::Kind::committed);
  ASSERT_TRUE(run.commit(put("a/x", std::string("\0\xff", 2))).has_value());
  const Result<View> all = run.read("");
  ASSERT_TRUE(all.has_value()) << all.error().what;
  ASSERT_EQ(all->records.size(), 2U);
  EXPECT_EQ(all->records[0].key, "a/x");
  EXPECT_EQ(all->records[0].value, std::string("\0\xff", 2));
  EXPECT_EQ(all->records[1].modified, done->revision);
  EXPECT_EQ(all->revision, done->revision + 1);
  EXPECT_NE(all->world, 0U);
  EXPECT_EQ(run.read("a/")->records.size(), 1U);
  EXPECT_EQ(run.read("", done->revision)->records.size(), 1U);
  EXPECT_EQ(run.read("", done->revision)->revision, done->revision);
  EXPECT_EQ(run.read("", 1'000'000).error().code, Code::invalid);
}

TEST_F(EtcdStoreOfOne, refuses_when_a_compare_does_not_hold_and_says_what_stands_there) {
  StoreRun run(options());
  const Revision made = run.commit(put("k", "1"))->revision;
  Transaction again{{Compare::absent("k"), Compare::exists("m")}, {Write::put("k", "2")}};
  const Result<Outcome> refused = run.commit(again);
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->kind, Outcome::Kind::refused);
  ASSERT_EQ(refused->found.size(), 1U);
  EXPECT_EQ(refused->found[0], (Record{"k", "1", made, made, 0}));
  const auto kind = [&run](Compare compare) { return run.commit({{std::move(compare)}, {}})->kind; };
  EXPECT_EQ(kind(Compare::created("k", made)), Outcome::Kind::committed);
  EXPECT_EQ(kind(Compare::modified("k", made)), Outcome::Kind::committed);
  EXPECT_EQ(kind(Compare::value_is("k", "1")), Outcome::Kind::committed);
  EXPECT_EQ(kind(Compare::value_is("none", "")), Outcome::Kind::refused);
  EXPECT_EQ(kind(Compare::created("none", 0)), Outcome::Kind::refused);
  EXPECT_EQ(kind(Compare::modified("none", 0)), Outcome::Kind::refused);
  EXPECT_EQ(kind(Compare::modified("k", ~Revision{0})), Outcome::Kind::refused);
}

TEST_F(EtcdStoreOfOne, erases_a_prefix_and_nothing_beside_it) {
  StoreRun run(options());
  const Transaction four{{}, {Write::put("a/1", ""), Write::put("a/2", ""), Write::put("a0", ""), Write::put("a", "")}};
  ASSERT_TRUE(run.commit(four).has_value());
  EXPECT_EQ(run.commit({{}, {Write::erase_prefix("a/")}})->kind, Outcome::Kind::committed);
  const Result<View> left = run.read("");
  ASSERT_EQ(left->records.size(), 2U);
  EXPECT_EQ(left->records[0].key, "a");
  EXPECT_EQ(left->records[1].key, "a0");
}

TEST_F(EtcdStoreOfOne, ends_a_lease_with_its_records) {
  StoreRun run(options());
  const Result<LeaseTerm> lease = run.grant(1500ms);
  ASSERT_TRUE(lease.has_value()) << lease.error().what;
  EXPECT_GE(lease->ttl, 2s);
  EXPECT_EQ(run.commit(put("held", "", lease->id))->kind, Outcome::Kind::committed);
  EXPECT_EQ(run.read("")->records[0].lease, lease->id);
  const Result<LeaseTerm> kept = run.keep_alive(lease->id);
  ASSERT_TRUE(kept.has_value());
  EXPECT_EQ(kept->id, lease->id);
  EXPECT_GE(kept->since, lease->since);
  EXPECT_TRUE(run.revoke(lease->id).has_value());
  EXPECT_TRUE(run.revoke(lease->id).has_value());
  EXPECT_EQ(run.keep_alive(lease->id).error().code, Code::missing);
  EXPECT_EQ(run.keep_alive(0).error().code, Code::missing);
  EXPECT_TRUE(run.read("")->records.empty());
  EXPECT_EQ(run.commit(put("late", "", lease->id)).error().code, Code::missing);
  EXPECT_EQ(run.grant(999ms).error().code, Code::invalid);
  EXPECT_TRUE(run.grant(1h).has_value());
  EXPECT_EQ(run.grant(1h + 1ns).error().code, Code::invalid);
}

TEST_F(EtcdStoreOfOne, watches_whole_transactions_from_a_revision_on) {
  StoreRun run(options());
  const Revision first = run.commit(put("w/a", "1"))->revision;
  std::unique_ptr<Watch> watch = run.store().watch("w/", first);
  Result<Batch> batch = run.next_events(*watch);
  ASSERT_TRUE(batch.has_value()) << batch.error().what;
  EXPECT_EQ(batch->revision, first);
  EXPECT_EQ(batch->events, (std::vector<Event>{{Event::Kind::put, {"w/a", "1", first, first, 0}}}));
  ASSERT_TRUE(run.commit(put("elsewhere", "1")).has_value());
  const Revision second = run.commit({{}, {Write::erase("w/a"), Write::put("w/b", "2")}})->revision;
  batch = run.next_events(*watch);
  ASSERT_TRUE(batch.has_value());
  EXPECT_EQ(batch->revision, second);
  ASSERT_EQ(batch->events.size(), 2U);
  EXPECT_EQ(batch->events[0].kind, Event::Kind::erased);
  EXPECT_EQ(batch->events[0].record, (Record{"w/a", "", 0, second, 0}));
  watch->close();
  EXPECT_EQ(run.next_events(*watch).error().code, Code::stopped);
}

TEST_F(EtcdStoreOfOne, says_stale_when_history_is_gone) {
  StoreRun run(options());
  const Revision first = run.commit(put("a", "1"))->revision;
  const Revision last = run.commit(put("a", "2"))->revision;
  EXPECT_TRUE(run.compact(last).has_value());
  EXPECT_TRUE(run.compact(last).has_value());
  EXPECT_EQ(run.read("", first).error().code, Code::stale);
  std::unique_ptr<Watch> watch = run.store().watch("", first);
  EXPECT_EQ(run.next_events(*watch).error().code, Code::stale);
  EXPECT_EQ(run.compact(last + 1'000'000).error().code, Code::invalid);
}

TEST_F(EtcdStoreOfOne, tells_how_it_is) {
  StoreRun run(options());
  const Result<StoreStatus> status = run.status();
  ASSERT_TRUE(status.has_value()) << status.error().what;
  EXPECT_TRUE(status->engine.starts_with("etcd 3.")) << status->engine;
  EXPECT_GT(status->bytes, 0U);
  ASSERT_EQ(status->members.size(), 1U);
  EXPECT_NE(status->members[0].find("leads"), std::string::npos) << status->members[0];
}

TEST_F(EtcdStoreOfOne, ends_what_waits_when_it_is_closed) {
  StoreRun run(options());
  std::unique_ptr<Watch> watch = run.store().watch("", 1'000'000);
  EXPECT_EQ(run.next(*watch, 100ms).error().code, Code::timed_out);
  run.close();
  EXPECT_EQ(run.next(*watch, 5s).error().code, Code::stopped);
  EXPECT_EQ(run.read("").error().code, Code::stopped);
}

TEST(EtcdStore, fails_at_once_when_nobody_listens) {
  EtcdOptions options;
  options.endpoints = {"http://127.0.0.1:1"};
  StoreRun run(options);
  EXPECT_EQ(run.read("").error().code, Code::refused);
  const Result<Outcome> outcome = run.commit(put("a", "1"));
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().code, Code::refused);
  EXPECT_EQ(outcome.error().side, Side::store);
}

TEST(EtcdStore, wants_endpoints_that_are_urls) {
  io::Loop loop;
  const auto code = [&loop](std::vector<std::string> endpoints) {
    EtcdOptions options;
    options.endpoints = std::move(endpoints);
    Result<std::unique_ptr<Store>> store = open_etcd(loop, std::move(options));
    return store ? Code::stopped : store.error().code;
  };
  EXPECT_EQ(code({}), Code::invalid);
  EXPECT_EQ(code({"127.0.0.1:2379"}), Code::invalid);
  EXPECT_EQ(code({"http://127.0.0.1:0"}), Code::invalid);
  EXPECT_EQ(code({"http://127.0.0.1:2379"}), Code::stopped);
  EXPECT_EQ(code(std::vector<std::string>(kEtcdEndpointsMax, "http://[::1]:2379/")), Code::stopped);
  EXPECT_EQ(code(std::vector<std::string>(kEtcdEndpointsMax + 1, "http://a")), Code::invalid);
}

}  // namespace
}  // namespace holdfast::store

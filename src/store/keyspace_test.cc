#include "store/keyspace.h"

#include <gtest/gtest.h>

namespace holdfast::store {
namespace {

Outcome done(Keyspace& keyspace, std::vector<Write> writes, std::vector<Compare> compares = {}) {
  const Result<Outcome> outcome = keyspace.apply({std::move(compares), std::move(writes)});
  EXPECT_TRUE(outcome.has_value());
  return outcome.value_or(Outcome{});
}

std::vector<std::string> values(const Keyspace& keyspace, const std::string& prefix, Revision at) {
  const Result<View> view = keyspace.read(prefix, at);
  EXPECT_TRUE(view.has_value());
  std::vector<std::string> values;
  if (!view) return values;
  for (const Record& each : view->records) values.push_back(each.key + "=" + each.value);
  return values;
}

using Strings = std::vector<std::string>;

TEST(Keyspace, begins_at_revision_one_and_counts_changes) {
  Keyspace keyspace(7);
  EXPECT_EQ(keyspace.revision(), 1U);
  EXPECT_EQ(done(keyspace, {Write::put("a", "1"), Write::put("b", "2")}).revision, 2U);
  EXPECT_EQ(done(keyspace, {Write::put("a", "1")}).revision, 3U);  // the same value is a change
  EXPECT_EQ(done(keyspace, {Write::erase("none")}).revision, 3U);
  EXPECT_EQ(done(keyspace, {Write::erase_prefix("none")}).revision, 3U);
  EXPECT_EQ(done(keyspace, {}).revision, 3U);
  EXPECT_EQ(done(keyspace, {Write::erase("a")}).revision, 4U);
  EXPECT_EQ(keyspace.read("", 0)->world, 7U);
}

TEST(Keyspace, keeps_created_until_a_key_is_made_anew) {
  Keyspace keyspace(1);
  done(keyspace, {Write::put("a", "1")});
  done(keyspace, {Write::put("a", "2")});
  EXPECT_EQ(keyspace.records().at("a"), (Record{"a", "2", 2, 3, 0}));
  done(keyspace, {Write::erase("a")});
  done(keyspace, {Write::put("a", "3")});
  EXPECT_EQ(keyspace.records().at("a"), (Record{"a", "3", 5, 5, 0}));
}

TEST(Keyspace, refuses_with_what_stands_there_by_key_each_once) {
  Keyspace keyspace(1);
  done(keyspace, {Write::put("b", "1"), Write::put("a", "1")});
  const Outcome outcome =
      done(keyspace, {Write::put("c", "1")},
           {Compare::exists("b"), Compare::modified("b", 9), Compare::absent("c"), Compare::exists("a")});
  EXPECT_EQ(outcome.kind, Outcome::Kind::refused);
  EXPECT_EQ(outcome.revision, 2U);
  EXPECT_EQ(outcome.found, (std::vector<Record>{{"a", "1", 2, 2, 0}, {"b", "1", 2, 2, 0}}));
  EXPECT_EQ(keyspace.revision(), 2U);
}

TEST(Keyspace, reads_every_revision_until_it_is_compacted) {
  Keyspace keyspace(1);
  done(keyspace, {Write::put("x/a", "1")});
  done(keyspace, {Write::put("x/b", "2")});
  done(keyspace, {Write::erase("x/a"), Write::put("y", "3")});
  EXPECT_EQ(values(keyspace, "", 1), Strings{});
  EXPECT_EQ(values(keyspace, "x/", 2), Strings{"x/a=1"});
  EXPECT_EQ(values(keyspace, "x/", 3), (Strings{"x/a=1", "x/b=2"}));
  EXPECT_EQ(values(keyspace, "", 4), (Strings{"x/b=2", "y=3"}));
  EXPECT_EQ(keyspace.read("", 5).error().code, Code::invalid);
  EXPECT_TRUE(keyspace.compact(3));
  EXPECT_EQ(keyspace.read("", 2).error().code, Code::stale);
  EXPECT_EQ(values(keyspace, "x/", 3), (Strings{"x/a=1", "x/b=2"}));
  EXPECT_TRUE(keyspace.compact(4));
  EXPECT_EQ(values(keyspace, "", 4), (Strings{"x/b=2", "y=3"}));
  EXPECT_TRUE(keyspace.compact(2));  // long done
  EXPECT_EQ(keyspace.compacted(), 4U);
  EXPECT_EQ(keyspace.compact(5).error().code, Code::invalid);
}

TEST(Keyspace, tells_what_happened_under_a_prefix) {
  Keyspace keyspace(1);
  done(keyspace, {Write::put("x/b", "1"), Write::put("x/a", "1")});
  done(keyspace, {Write::put("y", "2")});
  done(keyspace, {Write::erase_prefix("x/")});
  const Result<std::vector<Batch>> batches = keyspace.since("x/", 2);
  ASSERT_TRUE(batches);
  ASSERT_EQ(batches->size(), 2U);
  EXPECT_EQ((*batches)[0].revision, 2U);
  EXPECT_EQ((*batches)[0].events[0].record.key, "x/a");
  EXPECT_EQ((*batches)[1].revision, 4U);
  EXPECT_EQ((*batches)[1].events[1], (Event{Event::Kind::erased, {"x/b", "", 0, 4, 0}}));
  EXPECT_EQ(keyspace.since("x/", 3)->size(), 1U);
  EXPECT_EQ(keyspace.since("x/", 5)->size(), 0U);
  EXPECT_TRUE(keyspace.compact(3));
  EXPECT_EQ(keyspace.since("x/", 2).error().code, Code::stale);
  EXPECT_EQ(keyspace.since("x/", 3)->size(), 1U);
}

TEST(Keyspace, ends_a_lease_with_all_its_records_at_one_revision) {
  Keyspace keyspace(1);
  keyspace.grant(5);
  keyspace.grant(6);
  done(keyspace, {Write::put("a", "1", 5), Write::put("b", "1", 5), Write::put("c", "1", 6)});
  done(keyspace, {Write::put("b", "2")});  // which takes it off the lease
  keyspace.expire(5);
  EXPECT_EQ(keyspace.revision(), 4U);
  EXPECT_EQ(values(keyspace, "", 0), (Strings{"b=2", "c=1"}));
  keyspace.expire(5);
  keyspace.expire(77);
  EXPECT_EQ(keyspace.revision(), 4U);
  EXPECT_FALSE(keyspace.lives(5));
  EXPECT_EQ(keyspace.apply({{}, {Write::put("a", "2", 5)}}).error().code, Code::missing);
  EXPECT_EQ(keyspace.apply({{Compare::exists("a")}, {Write::put("a", "2", 5)}})->kind, Outcome::Kind::refused);
  EXPECT_EQ(keyspace.revision(), 4U);
}

TEST(Keyspace, is_another_world_when_restored) {
  Keyspace old(1);
  old.grant(5);
  done(old, {Write::put("a", "1", 5)});
  done(old, {Write::put("a", "2")});
  Keyspace restored(2, old, 2);
  EXPECT_EQ(restored.world(), 2U);
  EXPECT_EQ(restored.revision(), 2U);
  EXPECT_EQ(values(restored, "", 0), Strings{"a=1"});
  EXPECT_EQ(restored.records().at("a").lease, 0U);
  EXPECT_FALSE(restored.lives(5));
  EXPECT_EQ(restored.since("", 1).error().code, Code::stale);
}

}  // namespace
}  // namespace holdfast::store

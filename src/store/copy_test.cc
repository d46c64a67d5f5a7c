#include "store/copy.h"

#include <gtest/gtest.h>
#include <string>

namespace holdfast::store {
namespace {

Record record(std::string key, std::string value, Revision revision) {
  return {std::move(key), std::move(value), revision, revision, 0};
}

Event put(std::string key, std::string value, Revision revision) {
  return {Event::Kind::put, record(std::move(key), std::move(value), revision)};
}

TEST(Copy, knows_nothing_before_it_was_told) {
  const Copy copy;
  EXPECT_FALSE(copy.known());
  EXPECT_EQ(copy.revision(), 0U);
}

TEST(Copy, follows_what_happens) {
  Copy copy;
  copy.replace({1, 5, {record("a", "1", 3), record("b", "1", 5)}});
  ASSERT_TRUE(copy.apply({6, {put("c", "1", 6), {Event::Kind::erased, {"a", {}, 0, 6, 0}}}}));
  EXPECT_EQ(copy.revision(), 6U);
  EXPECT_FALSE(copy.records().contains("a"));
  EXPECT_EQ(copy.records().at("c").value, "1");
  EXPECT_EQ(copy.view().records.size(), 2U);
}

TEST(Copy, refuses_what_was_before_and_what_came_already) {
  Copy copy;
  copy.replace({1, 5, {}});
  EXPECT_EQ(copy.apply({4, {put("a", "old", 4)}}).error().code, Code::stale);
  EXPECT_EQ(copy.apply({5, {put("a", "again", 5)}}).error().code, Code::stale);
  EXPECT_TRUE(copy.records().empty());
  EXPECT_TRUE(copy.apply({5, {}})) << "time may stand still";
}

TEST(Copy, says_what_a_new_view_changes) {
  Copy copy;
  copy.replace({1, 5, {record("a", "1", 3), record("b", "1", 5)}});
  const std::vector<Event> changes = copy.replace({2, 2, {record("a", "1", 3), record("c", "1", 2)}});
  const std::vector<Event> expected{put("c", "1", 2), {Event::Kind::erased, {"b", {}, 0, 2, 0}}};
  EXPECT_EQ(changes, expected);
  EXPECT_EQ(copy.world(), 2U);
  EXPECT_EQ(copy.revision(), 2U) << "another world has revisions of its own";
  EXPECT_TRUE(copy.replace(copy.view()).empty());
}

}  // namespace
}  // namespace holdfast::store

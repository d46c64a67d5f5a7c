#include "store/transaction.h"

#include <gtest/gtest.h>
#include <string>

namespace holdfast::store {
namespace {

Transaction of(std::vector<Write> writes) { return {{}, std::move(writes)}; }

TEST(Compare, holds_against_what_stands_there) {
  const Record record{"k", "v", 3, 7, 0};
  EXPECT_TRUE(holds(Compare::absent("k"), nullptr));
  EXPECT_FALSE(holds(Compare::absent("k"), &record));
  EXPECT_TRUE(holds(Compare::exists("k"), &record));
  EXPECT_FALSE(holds(Compare::exists("k"), nullptr));
  EXPECT_TRUE(holds(Compare::created("k", 3), &record));
  EXPECT_FALSE(holds(Compare::created("k", 7), &record));
  EXPECT_TRUE(holds(Compare::modified("k", 7), &record));
  EXPECT_FALSE(holds(Compare::modified("k", 0), nullptr)) << "what is absent was never modified";
  EXPECT_TRUE(holds(Compare::value_is("k", "v"), &record));
  EXPECT_FALSE(holds(Compare::value_is("k", ""), nullptr));
}

TEST(Transaction, a_key_has_one_to_512_visible_ascii_characters) {
  EXPECT_TRUE(validate_key(std::string(kKeyBytesMax - 1, 'k')));
  EXPECT_TRUE(validate_key(std::string(kKeyBytesMax, 'k')));
  EXPECT_FALSE(validate_key(std::string(kKeyBytesMax + 1, 'k')));
  EXPECT_FALSE(validate_key(""));
  EXPECT_TRUE(validate_prefix(""));
  EXPECT_FALSE(validate_key("a b"));
  EXPECT_FALSE(validate_key(std::string("a\0b", 3)));
  EXPECT_FALSE(validate_key("\xc3\xa4"));
}

TEST(Transaction, its_limits_hold_at_their_edges) {
  Transaction transaction;
  for (std::size_t i = 0; i < kWritesMax; ++i) transaction.writes.push_back(Write::put("k" + std::to_string(i), "v"));
  EXPECT_TRUE(validate(transaction));
  transaction.writes.push_back(Write::put("one-more", "v"));
  EXPECT_FALSE(validate(transaction));

  transaction = {};
  for (std::size_t i = 0; i < kComparesMax; ++i) transaction.compares.push_back(Compare::absent("k"));
  EXPECT_TRUE(validate(transaction));
  transaction.compares.push_back(Compare::absent("k"));
  EXPECT_FALSE(validate(transaction));

  EXPECT_TRUE(validate(of({Write::put("k", std::string(kValueBytesMax, 'v'))})));
  EXPECT_FALSE(validate(of({Write::put("k", std::string(kValueBytesMax + 1, 'v'))})));

  const std::string half(kTransactionBytesMax / 2 - 1, 'v');
  EXPECT_TRUE(validate(of({Write::put("a", half), Write::put("b", half)})));
  EXPECT_FALSE(validate(of({Write::put("a", half), Write::put("bb", half)})));
}

TEST(Transaction, no_two_writes_touch_one_key) {
  EXPECT_FALSE(validate(of({Write::put("a", "1"), Write::put("a", "2")})));
  EXPECT_FALSE(validate(of({Write::put("a", "1"), Write::erase("a")})));
  EXPECT_FALSE(validate(of({Write::put("a/b", "1"), Write::erase_prefix("a/")})));
  EXPECT_FALSE(validate(of({Write::erase_prefix("a/b/"), Write::erase_prefix("a/")})));
  EXPECT_TRUE(validate(of({Write::put("b/b", "1"), Write::erase_prefix("a/"), Write::erase("b/c")})));
}

TEST(Transaction, an_error_names_the_key) {
  const Result<> refused = validate(of({Write::put("seat", "1"), Write::erase("seat")}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid);
  EXPECT_EQ(refused.error().what, "two writes of one transaction touch \"seat\"");
}

}  // namespace
}  // namespace holdfast::store

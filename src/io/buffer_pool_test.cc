#include "io/buffer_pool.h"

#include <gtest/gtest.h>

namespace holdfast::io {
namespace {

constexpr std::size_t kBytes = 1000;

TEST(BufferPool, lends_the_last_one_returned_and_does_not_grow_for_it) {
  MemoryBudget budget(100 * kBytes);
  BufferPool pool(kBytes, 10, budget);
  const char* first = nullptr;
  {
    const Buffer buffer = pool.lend();
    first = buffer.data();
  }
  const Buffer again = pool.lend();
  EXPECT_EQ(again.data(), first);
  EXPECT_EQ(budget.taken(), kBytes);
}

TEST(BufferPool, keeps_no_more_than_it_was_told) {
  MemoryBudget budget(100 * kBytes);
  BufferPool pool(kBytes, 2, budget);
  {
    const Buffer a = pool.lend();
    const Buffer b = pool.lend();
    const Buffer c = pool.lend();
    EXPECT_EQ(budget.taken(), 3 * kBytes);
  }
  EXPECT_EQ(budget.taken(), 2 * kBytes);
}

TEST(BufferPool, a_newcomer_gets_three_quarters_and_who_has_begun_the_whole) {
  MemoryBudget budget(8 * kBytes);
  BufferPool pool(kBytes, 10, budget);
  std::vector<Buffer> lent;
  for (int i = 0; i < 6; ++i) lent.push_back(pool.lend(Taker::newcomer));
  EXPECT_TRUE(lent.back());
  EXPECT_FALSE(budget.open_for_newcomers());
  EXPECT_FALSE(pool.lend(Taker::newcomer)) << "the seventh";
  for (int i = 0; i < 2; ++i) lent.push_back(pool.lend());
  EXPECT_TRUE(lent.back());
  EXPECT_FALSE(pool.lend()) << "the ninth";
  EXPECT_EQ(budget.taken(), 8 * kBytes);
  lent.clear();
  EXPECT_TRUE(pool.lend(Taker::newcomer)) << "and it recovers";
  pool.trim();
  EXPECT_LE(budget.taken(), 4 * kBytes);
}

TEST(BufferPool, one_of_another_size_takes_what_it_is_and_gives_it_back_at_once) {
  MemoryBudget budget(8 * kBytes);
  BufferPool pool(kBytes, 10, budget);
  {
    const Buffer small = pool.lend_sized(10);
    const Buffer large = pool.lend_sized(7 * kBytes);
    EXPECT_EQ(budget.taken(), 10 + 7 * kBytes);
    EXPECT_FALSE(pool.lend_sized(kBytes - 9)) << "one byte more than is left";
    EXPECT_TRUE(pool.lend_sized(kBytes - 10));
  }
  EXPECT_EQ(budget.taken(), 0U);
}

TEST(BufferPool, what_one_pool_keeps_goes_to_another_that_needs_it) {
  MemoryBudget budget(8 * kBytes);
  BufferPool mine(kBytes, 10, budget);
  {
    BufferPool other(kBytes, 10, budget);
    std::vector<Buffer> lent;
    for (int i = 0; i < 8; ++i) lent.push_back(other.lend());
    lent.clear();
    EXPECT_EQ(budget.taken(), 4 * kBytes) << "the half is not tight";
  }
  EXPECT_EQ(budget.taken(), 0U) << "a pool gives back what it kept";
}

TEST(BufferPool, a_smaller_budget_takes_nothing_away_but_lends_no_more) {
  MemoryBudget budget(8 * kBytes);
  BufferPool pool(kBytes, 10, budget);
  const Buffer a = pool.lend();
  const Buffer b = pool.lend();
  budget.set(kBytes);
  EXPECT_TRUE(a);
  EXPECT_FALSE(pool.lend());
  budget.set(8 * kBytes);
  EXPECT_TRUE(pool.lend());
}

}  // namespace
}  // namespace holdfast::io

#include "upstream/stale_answers.h"

#include <gtest/gtest.h>
#include <thread>
#include <vector>

namespace holdfast::upstream {
namespace {

constexpr Instant kStart{1h};

std::shared_ptr<const StaleAnswer> answer(std::string body, Instant kept = kStart) {
  auto made = std::make_shared<StaleAnswer>();
  made->body = std::move(body);
  made->kept = kept;
  return made;
}

TEST(StaleAnswers, gives_what_was_kept_and_is_not_too_old) {
  StaleAnswers answers(1'000'000);
  answers.keep("a", answer("one"));
  EXPECT_EQ(answers.find("a", kStart)->body, "one");
  EXPECT_EQ(answers.find("a", kStart + 1ns), nullptr);
  EXPECT_EQ(answers.find("b", kStart), nullptr);
}

TEST(StaleAnswers, wants_another_after_a_second) {
  StaleAnswers answers(1'000'000);
  EXPECT_TRUE(answers.wants("a", kStart));
  answers.keep("a", answer("one"));
  EXPECT_FALSE(answers.wants("a", kStart + StaleAnswers::kRenewAfter - 1ns));
  EXPECT_TRUE(answers.wants("a", kStart + StaleAnswers::kRenewAfter));
}

TEST(StaleAnswers, the_newest_replaces_the_one_before) {
  StaleAnswers answers(1'000'000);
  answers.keep("a", answer("one"));
  const std::size_t bytes = answers.bytes();
  answers.keep("a", answer("two"));
  EXPECT_EQ(answers.find("a", kStart)->body, "two");
  EXPECT_EQ(answers.bytes(), bytes);
}

TEST(StaleAnswers, stays_within_its_memory_and_drops_who_was_not_asked_for) {
  constexpr std::size_t kMost = 160'000;
  StaleAnswers answers(kMost);
  answers.keep("asked", answer(std::string(500, 'x')));
  for (int i = 0; i < 1000; ++i) {
    answers.keep("key " + std::to_string(i), answer(std::string(500, 'x')));
    ASSERT_NE(answers.find("asked", kStart), nullptr) << i;
    ASSERT_LE(answers.bytes(), kMost);
  }
  EXPECT_EQ(answers.find("key 0", kStart), nullptr);
  EXPECT_NE(answers.find("key 999", kStart), nullptr);
}

TEST(StaleAnswers, one_that_is_larger_than_the_room_is_not_kept) {
  constexpr std::size_t kMost = 16'000;
  StaleAnswers answers(kMost);
  answers.keep("a", answer(std::string(kMost / 16, 'x')));
  EXPECT_EQ(answers.find("a", kStart), nullptr);
  EXPECT_EQ(answers.bytes(), 0U);
}

TEST(StaleAnswers, less_memory_drops_what_is_too_much) {
  StaleAnswers answers(1'000'000);
  for (int i = 0; i < 100; ++i) answers.keep(std::to_string(i), answer(std::string(1000, 'x')));
  answers.set_bytes_max(0);
  EXPECT_EQ(answers.bytes(), 0U);
}

TEST(StaleAnswers, threads_may_share_it) {
  StaleAnswers answers(100'000);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&answers, t] {
      for (int i = 0; i < 2000; ++i) {
        const std::string key = std::to_string((i * 7 + t) % 300);
        if (answers.wants(key, kStart)) answers.keep(key, answer(key));
        const auto found = answers.find(key, kStart);
        if (found != nullptr) {
          ASSERT_EQ(found->body, key);
        }
      }
    });
  }
  for (int i = 0; i < 500; ++i) answers.set_bytes_max(i % 2 == 0 ? 0 : 100'000);  // reloads
  for (std::thread& thread : threads) thread.join();
}

TEST(StaleAnswers, what_was_taken_back_is_gone) {
  StaleAnswers answers(100'000);
  answers.keep("a", answer("a"));
  answers.keep("b", answer("b"));
  answers.erase("a");
  answers.erase("c");
  EXPECT_EQ(answers.find("a", kStart), nullptr);
  EXPECT_NE(answers.find("b", kStart), nullptr);
}

}  // namespace
}  // namespace holdfast::upstream

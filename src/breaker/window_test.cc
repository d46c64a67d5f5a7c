#include "breaker/window.h"

#include <deque>
#include <gtest/gtest.h>
#include <utility>
#include <vector>

#include "base/prng.h"

namespace holdfast::breaker {
namespace {

const Instant kStart{1h};

Tally calls(std::uint64_t count) { return {.calls = count}; }

/// What any_recent shows, one look after another.
std::vector<std::uint64_t> looks(const Window& window) {
  std::vector<std::uint64_t> seen;
  window.any_recent([&](const Tally& recent) {
    seen.push_back(recent.calls);
    return false;
  });
  return seen;
}

TEST(Window, sums_what_lies_within_it) {
  Window window(10s);
  EXPECT_EQ(window.sum(), Tally{});
  window.add({.calls = 3, .failures = 2, .unreachable = 1, .slow = 1, .refused = 4}, kStart);
  window.add(calls(5), kStart + 9'999ms);
  EXPECT_EQ(window.sum(), (Tally{.calls = 8, .failures = 2, .unreachable = 1, .slow = 1, .refused = 4}));
  EXPECT_EQ(window.validate(), "");
}

TEST(Window, lets_go_of_a_slice_at_a_time) {
  Window window(10s);
  window.add(calls(1), kStart);
  window.add(calls(2), kStart + 100ms);
  window.advance(kStart + 9'999ms);
  EXPECT_EQ(window.sum(), calls(3));
  window.advance(kStart + 10s);
  EXPECT_EQ(window.sum(), calls(2));
  window.advance(kStart + 10'100ms);
  EXPECT_EQ(window.sum(), Tally{});
}

TEST(Window, lets_go_of_everything_after_a_long_silence) {
  Window window(10s);
  window.add(calls(7), kStart);
  window.add(calls(1), kStart + 24h);
  EXPECT_EQ(window.sum(), calls(1));
  EXPECT_EQ(window.validate(), "");
}

TEST(Window, takes_no_notice_of_a_time_that_goes_back) {
  Window window(10s);
  window.add(calls(1), kStart);
  window.add(calls(1), kStart - 5s);
  window.advance(kStart - 1h);
  EXPECT_EQ(window.sum(), calls(2));
}

TEST(Window, shows_the_newest_slices_first) {
  Window window(10s);
  window.add(calls(1), kStart);
  window.add(calls(2), kStart + 500ms);
  window.add({.refused = 9}, kStart + 600ms);
  window.add(calls(4), kStart + 700ms);
  window.advance(kStart + 3s);
  EXPECT_EQ(looks(window), (std::vector<std::uint64_t>{4, 6, 7}));
  EXPECT_TRUE(window.any_recent([](const Tally& recent) { return recent.calls == 6; }));
  EXPECT_FALSE(window.any_recent([](const Tally& recent) { return recent.calls == 3; }));
}

TEST(Window, forgets_when_it_is_cleared_or_gets_another_length) {
  Window window(10s);
  window.add(calls(1), kStart);
  window.clear();
  EXPECT_EQ(window.sum(), Tally{});
  window.add(calls(1), kStart);
  window.set_length(1s);
  EXPECT_EQ(window.sum(), Tally{});
  window.add(calls(2), kStart + 1ms);
  window.advance(kStart + 999ms);
  EXPECT_EQ(window.sum(), calls(2));
  window.advance(kStart + 1001ms);
  EXPECT_EQ(window.sum(), Tally{});
}

TEST(Window, agrees_with_a_plain_list_of_slices) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Prng prng(seed);
    const Duration length = 100ms * (1 + static_cast<int>(prng.below(200)));
    const Duration slice = length / static_cast<int>(Window::kSlices);
    Window window(length);
    std::deque<std::pair<std::int64_t, Tally>> list;
    Instant now = kStart;
    for (int step = 0; step < 500; ++step) {
      now += Duration(prng.below(static_cast<std::uint64_t>((length / (prng.below(50) == 0 ? 1 : 60)).count())));
      const Tally tally{.calls = prng.below(5), .failures = prng.below(3), .slow = prng.below(2)};
      const std::int64_t newest = now.time_since_epoch() / slice;
      window.add(tally, now);
      list.emplace_back(newest, tally);
      while (list.front().first + static_cast<std::int64_t>(Window::kSlices) <= newest) list.pop_front();
      Tally sum;
      for (const auto& [at, each] : list) sum += each;
      ASSERT_EQ(window.sum(), sum) << "seed " << seed << ", step " << step;
      ASSERT_EQ(window.validate(), "") << "seed " << seed << ", step " << step;
    }
  }
}

}  // namespace
}  // namespace holdfast::breaker

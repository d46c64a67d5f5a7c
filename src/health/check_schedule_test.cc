#include "health/check_schedule.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <vector>

#include "health/expect.h"
#include "health/group.h"

namespace holdfast::health {
namespace {

Instant at(Duration since_start) { return Instant{} + since_start; }

TEST(CheckSchedule, ten_thousand_endpoints_are_spread_evenly_and_stay_so) {
  const CheckSchedule schedule(1s);
  Prng prng(1);
  std::vector<Instant> due;
  for (std::uint32_t i = 0; i < 10'000; ++i) due.push_back(schedule.first(i, 10'000, at(0s), prng));
  for (int round = 0; round < 50; ++round) {
    std::vector<int> per_100ms(10, 0);
    for (Instant& each : due) {
      ++per_100ms[static_cast<std::size_t>((each.time_since_epoch() / 100ms) % 10)];
      each = schedule.next(each, each, prng);
    }
    EXPECT_LT(std::ranges::max(per_100ms), 1200) << round;
    EXPECT_GT(std::ranges::min(per_100ms), 800) << round;
  }
}

TEST(CheckSchedule, intervals_differ_by_at_most_the_jitter) {
  const CheckSchedule schedule(1s);
  Prng prng(2);
  Duration least = 2s;
  Duration most = 0s;
  for (int i = 0; i < 10'000; ++i) {
    const Duration interval = schedule.next(at(5s), at(5s), prng) - at(5s);
    least = std::min(least, interval);
    most = std::max(most, interval);
  }
  EXPECT_GE(least, 900ms);
  EXPECT_LT(least, 902ms);
  EXPECT_LE(most, 1100ms);
  EXPECT_GT(most, 1098ms);
}

TEST(CheckSchedule, a_late_check_is_not_made_up_for) {
  Prng prng(3);
  EXPECT_EQ(CheckSchedule(1s).next(at(0s), at(100s), prng), at(100s));
  EXPECT_EQ(CheckSchedule::next_recovery(at(0s), at(100s), prng), at(100s));
}

TEST(CheckSchedule, recovery_probes_come_every_200_ms_or_so) {
  Prng prng(4);
  for (int i = 0; i < 1000; ++i) {
    const Duration interval = CheckSchedule::next_recovery(at(0s), at(0s), prng) - at(0s);
    EXPECT_GE(interval, 180ms);
    EXPECT_LE(interval, 220ms);
  }
}

TEST(Expect, reads_statuses_and_ranges_with_both_ends_included) {
  const auto ranges = parse_expect("200-299, 304,401 - 403");
  ASSERT_TRUE(ranges);
  EXPECT_EQ(*ranges, (std::vector<StatusRange>{{200, 299}, {304, 304}, {401, 403}}));
  for (const unsigned status : {200U, 299U, 304U, 401U, 403U}) EXPECT_TRUE(is_expected(*ranges, status)) << status;
  for (const unsigned status : {0U, 199U, 300U, 303U, 305U, 400U, 404U}) EXPECT_FALSE(is_expected(*ranges, status));
}

TEST(Expect, refuses_what_is_no_list_of_statuses_and_names_the_part) {
  for (const char* wrong : {"", "200,", "99", "600", "300-200", "200-", "-299", "2xx", "200-299-300", "200;204"}) {
    EXPECT_FALSE(parse_expect(wrong)) << wrong;
  }
  EXPECT_EQ(parse_expect("200, 2xx").error().what, "\"2xx\" is not a status (100-599) or a range such as 200-399");
}

}  // namespace
}  // namespace holdfast::health

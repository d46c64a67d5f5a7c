// What the admin API says, and what else might come.
#include "report.h"

#include <gtest/gtest.h>

namespace holdfast::sdk {
namespace {

TEST(Report, reads_what_the_admin_api_says) {
  const auto page = read_page(R"({"items":[{"name":"feed->profile","state":"half_open","mode":"observe","trips":3,
    "reason":"20 of 20 calls failed","since":"1970-01-01T00:00:01.500Z","failure_rate":0.4,"slow_rate":0.6,
    "slow_call_ms":250,"minimum_requests":7,"window_ms":5000,"open_for_ms":1500,"max_open_for_ms":9000,"probes":4,
    "ramp_ms":0,"override":{"state":"open","actor":"anna","reason":"r","until":null}}]})");
  ASSERT_TRUE(page.has_value());
  ASSERT_EQ(page->size(), 1U);
  const Report& report = page->front();
  EXPECT_EQ(report.name, "feed->profile");
  EXPECT_EQ(report.state, breaker::State::half_open);
  EXPECT_EQ(report.trips, 3U);
  EXPECT_EQ(report.since_us, 1'500'000);
  EXPECT_EQ(report.settings.mode, breaker::Mode::observe);
  EXPECT_EQ(report.settings.failure_percent, 40U);
  EXPECT_EQ(report.settings.slow_percent, 60U);
  EXPECT_EQ(report.settings.slow_call, 250ms);
  EXPECT_EQ(report.settings.minimum_requests, 7U);
  EXPECT_EQ(report.settings.window, 5s);
  EXPECT_EQ(report.settings.open_for, 1500ms);
  EXPECT_EQ(report.settings.max_open_for, 9s);
  EXPECT_EQ(report.settings.probes, 4U);
  EXPECT_EQ(report.settings.ramp, 0s);
  ASSERT_TRUE(report.forced.has_value());
  EXPECT_EQ(report.forced->actor, "anna");
  EXPECT_EQ(report.forced->until_us, std::nullopt);
}

TEST(Report, what_is_missing_or_strange_has_its_default) {
  for (const char* text :
       {R"({"items":[{}]})", R"({"items":[{"state":7,"trips":-1,"probes":"x","window_ms":-5,"failure_rate":2}]})",
        R"({"items":[{"state":"of tomorrow","override":"x","since":"now","slow_call_ms":1e300}]})"}) {
    const auto page = read_page(text);
    ASSERT_TRUE(page.has_value()) << text;
    EXPECT_EQ(page->front().state, breaker::State::closed);
    EXPECT_EQ(page->front().settings, breaker::Settings{});
    EXPECT_FALSE(page->front().forced.has_value());
  }
}

TEST(Report, what_is_no_page_is_none) {
  for (const char* text : {"", "x", "[]", "{}", R"({"items":7})"}) EXPECT_FALSE(read_page(text).has_value()) << text;
}

}  // namespace
}  // namespace holdfast::sdk

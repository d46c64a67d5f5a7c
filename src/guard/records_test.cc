#include "guard/records.h"

#include <gtest/gtest.h>

#include "guard/keys.h"
#include "guard/settings_record.h"
#include "guard/state_record.h"

namespace holdfast::guard {
namespace {

using breaker::State;

constexpr std::int64_t kWall_us = 1'795'464'000'000'000;
const Clocks kNow{Instant(2h), kWall_us};

TEST(Keys, read_back_what_they_write) {
  const std::string name = "feed->profile";
  EXPECT_EQ(parse_key(settings_key(name)), (Key{Key::Kind::settings, name, {}}));
  EXPECT_EQ(parse_key(override_key(name)), (Key{Key::Kind::override, name, {}}));
  EXPECT_EQ(parse_key(state_key(name)), (Key{Key::Kind::state, name, {}}));
  EXPECT_EQ(parse_key(probe_key(name)), (Key{Key::Kind::probe, name, {}}));
  EXPECT_EQ(parse_key(vote_key(name, "a")), (Key{Key::Kind::vote, name, "a"}));
  EXPECT_EQ(parse_key(voter_key("a")), (Key{Key::Kind::voter, {}, "a"}));
  EXPECT_EQ(vote_key(name, "a"), "breaker/vote/feed->profile/a");
}

TEST(Keys, of_another_form_are_for_later_versions) {
  for (const char* key : {"", "breaker/", "breaker/state", "breaker/state/", "breaker/vote/x", "breaker/vote/x/",
                          "breaker/state/x/y", "breaker/voter/", "breaker/later/x", "event/x"}) {
    EXPECT_EQ(parse_key(key), std::nullopt) << key;
  }
}

TEST(Records, read_back_what_they_write) {
  const OverrideView override{State::open, "mara", "INC-7 \"quoted\"", kWall_us, kWall_us + 1'000'000};
  EXPECT_EQ(*parse_override(write_override(override, "id")), override);
  const breaker::Vote vote{"a", "z1", breaker::Opinion::bad, 120, 80, 3, true, 4, "80 of 120 calls failed"};
  EXPECT_EQ(*parse_vote(write_vote(vote), "a"), vote);
  EXPECT_EQ(*parse_probe(write_probe({"a", 5})), (ProbeRecord{"a", 5}));
}

TEST(Records, ignore_what_is_for_later_and_refuse_what_cannot_be) {
  EXPECT_TRUE(parse_override(R"({"state":"open","ticket":[1,2]})"));
  for (const char* value : {"", "[]", "{", "{}", R"({"state":"ajar"})", R"({"state":1})",
                            R"({"state":"open","until":"tomorrow"})", R"({"state":"open","actor":5})"}) {
    EXPECT_FALSE(parse_override(value)) << value;
  }
  EXPECT_TRUE(parse_vote("{}", "a"));
  for (const char* value : {"nope", R"({"opinion":"awful"})", R"({"calls":-1})", R"({"calls":1.5})"}) {
    EXPECT_FALSE(parse_vote(value, "a")) << value;
  }
}

TEST(SettingsRecord, replaces_only_what_it_names) {
  breaker::Settings file;
  file.minimum_requests = 50;
  const Result<SettingsChange> change =
      parse_settings(R"({"failure_rate":"30%","open_for":"5s","mode":"observe","ramp":"0s","shared":false})");
  ASSERT_TRUE(change);
  breaker::Settings wanted = file;
  wanted.failure_percent = 30;
  wanted.open_for = 5s;
  wanted.mode = breaker::Mode::observe;
  wanted.ramp = 0s;
  wanted.shared = false;
  EXPECT_EQ(apply(*change, file), wanted);
  EXPECT_EQ(apply(*parse_settings("{}"), file), file);
}

TEST(SettingsRecord, takes_every_limit_and_nothing_beyond) {
  for (const char* value : {R"({"failure_rate":"1%"})", R"({"failure_rate":"100%"})", R"({"window":"1s"})",
                            R"({"window":"1h"})", R"({"probes":1})", R"({"probes":100})", R"({"slow_call":"1ms"})"}) {
    EXPECT_TRUE(parse_settings(value)) << value;
  }
  for (const char* value :
       {R"({"failure_rate":"0%"})", R"({"failure_rate":"101%"})", R"({"failure_rate":50})", R"({"window":"999ms"})",
        R"({"window":"61m"})", R"({"probes":0})", R"({"probes":101})", R"({"probes":"3"})", R"({"slow_call":"0s"})",
        R"({"mode":"sometimes"})", R"({"shared":"yes"})", "[]", "", R"({"minimum_requests":0})"}) {
    EXPECT_FALSE(parse_settings(value)) << value;
  }
}

breaker::Standing some_standing() {
  breaker::Standing standing{State::open, 7, kNow.now, 2104ms, 4s, 2, 3, "3 of 5 proxies", {}};
  standing.flaps[0] = kNow.now - 1s;
  standing.flaps[1] = kNow.now - 61s;
  return standing;
}

TEST(StateRecord, reads_back_what_it_writes) {
  const breaker::Standing standing = some_standing();
  const Result<StateRecord> record = parse_state(write_state(standing, "a", "id", kNow));
  ASSERT_TRUE(record);
  EXPECT_EQ(record->by, "a");
  EXPECT_EQ(to_standing(*record, kNow, true), standing);
  EXPECT_EQ(to_standing(*record, kNow, false), standing);
}

TEST(StateRecord, who_sees_it_happen_counts_from_now_whatever_the_wall_says) {
  const StateRecord record = *parse_state(write_state(some_standing(), "a", "id", kNow));
  for (const std::int64_t off : {-3600LL, -1LL, 0LL, 1LL, 3600LL}) {
    const Clocks clocks{kNow.now + 1ms, kWall_us + off * 1'000'000};
    EXPECT_EQ(to_standing(record, clocks, true).since, clocks.now);
  }
}

TEST(StateRecord, who_comes_later_counts_what_is_left_neither_more_nor_less) {
  const StateRecord record = *parse_state(write_state(some_standing(), "a", "id", kNow));
  const auto since_at = [&record](std::int64_t off_us) {
    const Clocks clocks{kNow.now, kWall_us + off_us};
    return to_standing(record, clocks, false).since;
  };
  EXPECT_EQ(since_at(1'000'000), kNow.now - 1s);
  EXPECT_EQ(since_at(2'104'000), kNow.now - 2104ms);
  EXPECT_EQ(since_at(9'000'000'000), kNow.now - 2104ms) << "not longer than the whole";
  EXPECT_EQ(since_at(-1'000'000), kNow.now) << "not in the future";
}

TEST(StateRecord, refuses_what_cannot_be) {
  for (const char* value : {"", "{}", R"({"state":"open"})", R"({"state":"open","epoch":0})",
                            R"({"state":"ajar","epoch":1})", R"({"state":"open","epoch":1,"open_for_ms":86400001})",
                            R"({"state":"open","epoch":1,"flaps":["x"]})", R"({"state":"open","epoch":-1})"}) {
    EXPECT_FALSE(parse_state(value)) << value;
  }
  EXPECT_TRUE(parse_state(R"({"state":"open","epoch":1,"open_for_ms":86400000,"flaps":[-5,1,2,3,4,5]})"));
  const Result<StateRecord> for_ever = parse_state(R"({"state":"open","epoch":1,"down_ms":18446744073709551615})");
  ASSERT_TRUE(for_ever);
  EXPECT_EQ(for_ever->standing.down, std::chrono::days(3650)) << "no outage is longer";
}

}  // namespace
}  // namespace holdfast::guard

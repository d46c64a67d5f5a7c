// What somebody may want of a breaker, and from where.
#include "admin/wish.h"

#include <gtest/gtest.h>

#include "admin/query.h"
#include "http/parse.h"

namespace holdfast::admin {
namespace {

// Its views point into `bytes`.
struct Asked {
  explicit Asked(std::string text, const std::string& target = "/") : bytes("PUT " + target + " HTTP/1.1\r\n" + text) {
    bytes += "\r\n";
    EXPECT_EQ(http::parse_request_head(bytes, http::Limits{}, head).status, http::ParseStatus::complete) << bytes;
  }
  std::string bytes;
  http::RequestHead head;
};

int refusal(const std::string& fields) {
  const Asked asked("Host: 127.0.0.1:7070\r\n" + fields);
  const std::optional<Answer> refused = refuse_foreign(asked.head);
  return refused ? refused->status : 0;
}

TEST(Wish, a_page_of_another_site_is_refused) {
  const std::string json = "Content-Type: application/json\r\n";
  EXPECT_EQ(refusal(json), 0);
  EXPECT_EQ(refusal(json + "Origin: http://127.0.0.1:7070\r\n"), 0);
  EXPECT_EQ(refusal(json + "Origin: https://127.0.0.1:7070\r\n"), 0);
  for (const std::string origin : {"http://evil.example", "http://127.0.0.1:7071", "http://127.0.0.1", "null", "",
                                   "127.0.0.1:7070", "http://127.0.0.1:7070.evil.example"}) {
    EXPECT_EQ(refusal(json + "Origin: " + origin + "\r\n"), 403) << origin;
  }
}

TEST(Wish, only_what_is_said_to_be_json_is_taken) {
  EXPECT_EQ(refusal("Content-Type: Application/JSON; charset=utf-8\r\n"), 0);
  EXPECT_EQ(refusal(""), 415);
  for (const std::string type : {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
                                 "text/plain; application/json", "application/jsonp"}) {
    EXPECT_EQ(refusal("Content-Type: " + type + "\r\n"), 415) << type;
  }
}

TEST(Wish, says_what_why_who_and_for_how_long) {
  const auto wish = parse_wish(R"({"state":"open","reason":"disk full","actor":"anna@ops1","for":"10m"})");
  ASSERT_TRUE(wish.has_value()) << wish.error().body;
  EXPECT_EQ(wish->state, breaker::State::open);
  EXPECT_EQ(wish->reason, "disk full");
  EXPECT_EQ(wish->actor, "anna@ops1");
  EXPECT_EQ(wish->lasting, 10min);
  EXPECT_EQ(parse_wish(R"({"state":"closed","reason":"r"})")->state, breaker::State::closed);
  EXPECT_EQ(parse_wish(R"({"state":"auto","reason":"r"})")->state, std::nullopt);
}

TEST(Wish, whatever_is_wrong_is_said) {
  for (const std::string body :
       {"", "open", "[]", "{}", R"({"state":"open"})", R"({"reason":"r"})", R"({"state":"opened","reason":"r"})",
        R"({"state":1,"reason":"r"})", R"({"state":"open","reason":""})", R"({"state":"open","reason":7})",
        R"({"state":"open","reason":"two\nlines"})", R"({"state":"open","reason":"r","actor":""})",
        R"({"state":"open","reason":"r","for":600})", R"({"state":"open","reason":"r","for":"10"})",
        R"({"state":"open","reason":"r","for":"0s"})", R"({"state":"open","reason":"r","for":"169h"})",
        R"({"state":"auto","reason":"r","for":"1m"})", R"({"state":"open","reason":"r","until":"1m"})",
        "{\"state\":\"open\",\"reason\":\"\xff\"}"}) {
    const auto wish = parse_wish(body);
    ASSERT_FALSE(wish.has_value()) << body;
    EXPECT_EQ(wish.error().status, 400) << body;
  }
}

TEST(Wish, words_of_the_limit_are_taken_and_one_more_byte_is_not) {
  const auto with = [](std::size_t reason, std::size_t actor) {
    return parse_wish(R"({"state":"open","reason":")" + std::string(reason, 'r') + R"(","actor":")" +
                      std::string(actor, 'a') + R"("})")
        .has_value();
  };
  EXPECT_TRUE(with(kReasonBytesMax - 1, kActorBytesMax - 1));
  EXPECT_TRUE(with(kReasonBytesMax, kActorBytesMax));
  EXPECT_FALSE(with(kReasonBytesMax + 1, 1));
  EXPECT_FALSE(with(1, kActorBytesMax + 1));
}

TEST(Query, parameters_are_decoded_and_checked) {
  const Asked asked("Host: h\r\n", "/?caller=feed%2dlite&since=12&wait=30s&bad=1%2&limit=x");
  EXPECT_EQ(text_of(asked.head, "caller").value(), "feed-lite");
  EXPECT_EQ(text_of(asked.head, "absent").value(), std::nullopt);
  EXPECT_EQ(text_of(asked.head, "bad").error().status, 400);
  EXPECT_EQ(number_of(asked.head, "since").value(), 12U);
  EXPECT_EQ(number_of(asked.head, "limit").error().status, 400);
  EXPECT_EQ(duration_of(asked.head, "wait").value(), 30s);
  EXPECT_EQ(duration_of(asked.head, "since").error().status, 400);
}

TEST(Query, rfc9110_13_1_2_compares_weakly) {
  for (const std::string field : {"W/\"a-7\"", "\"a-7\"", "\"x\", W/\"a-7\"", "*"}) {
    const Asked asked("Host: h\r\nIf-None-Match: " + field + "\r\n");
    EXPECT_TRUE(is_known(asked.head, "W/\"a-7\"")) << field;
  }
  for (const std::string field : {"W/\"a-8\"", "a-7", "\"a-7", ""}) {
    const Asked asked("Host: h\r\nIf-None-Match: " + field + "\r\n");
    EXPECT_FALSE(is_known(asked.head, "W/\"a-7\"")) << field;
  }
}

}  // namespace
}  // namespace holdfast::admin

// What an upstream may answer. Every refusal is 502: the client did nothing wrong.
#include <gtest/gtest.h>

#include "http/parse_testing.h"

namespace holdfast::http {
namespace {

ResponseHead read(const std::string& bytes, Method method = Method::get) {
  ResponseHead head;
  const ParseOutcome outcome = parse_response_head(bytes, Limits{}, method, head);
  EXPECT_EQ(verdict(outcome), 200) << outcome.reason;
  return head;
}

TEST(StatusLine, rfc9112_4_wants_a_version_and_three_digits) {
  EXPECT_EQ(judge_response("HTTP/1.1 200 OK\r\n\r\n"), 200);
  EXPECT_EQ(judge_response("HTTP/1.0 404 \r\n\r\n"), 200);
  EXPECT_EQ(judge_response("HTTP/1.1 301\r\n\r\n"), 200) << "the space is often forgotten";
  EXPECT_EQ(judge_response("HTTP/1.1 500 Stra\xc3\x9f"
                           "e\r\n\r\n"),
            200);
  for (const char* wrong :
       {"HTTP/1.1 2 OK", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1  200 OK", "HTTP/1.1 abc OK", "HTTP/1.1 -20 OK",
        "HTTP/1.1 099 OK", "HTTP/1.1 200\tOK", "HTTP/1.1\t200 OK", "http/1.1 200 OK", "HTTP/2.0 200 OK",
        "HTTP/0.9 200 OK", "HTTP/1.10 200 OK", "RTSP/1.0 200 OK", "HTTP/1.1 200 O\x01K", "HTTP/1.1 200 O\rK",
        " HTTP/1.1 200 OK", "hello"}) {
    EXPECT_EQ(judge_response(std::string(wrong) + "\r\n\r\n"), 502) << wrong;
  }
}

TEST(StatusLine, rfc9112_2_2_nothing_may_stand_before_it) {
  EXPECT_EQ(judge_response("\r\nHTTP/1.1 200 OK\r\n\r\n"), 502) << "left-over bytes would belong to another answer";
}

TEST(ResponseFields, rfc9112_5_refuses_control_bytes_folding_and_bare_line_ends) {
  EXPECT_EQ(judge_response(ok_with(std::string("X: a\0b\r\n", 8))), 502);
  EXPECT_EQ(judge_response(ok_with("X: a\rb\r\n")), 502);
  EXPECT_EQ(judge_response(ok_with("X: a\n")), 502);
  EXPECT_EQ(judge_response(ok_with("X: a\r\n b\r\n")), 502);
  EXPECT_EQ(judge_response(ok_with("X : a\r\n")), 502);
}

TEST(ResponseFields, rfc6585_5_a_head_beyond_the_limits_is_502) {
  EXPECT_EQ(judge_response(ok_with("X: " + std::string(17000, 'v') + "\r\n")), 502);
  std::string lines;
  for (int i = 0; i < 101; ++i) lines += "X: y\r\n";
  EXPECT_EQ(judge_response(ok_with(lines)), 502);
  lines.clear();
  for (int i = 0; i < 90; ++i) lines += "X: " + std::string(800, 'v') + "\r\n";
  EXPECT_EQ(judge_response(ok_with(lines)), 502);
}

TEST(ResponseFraming, rfc9112_6_3_refuses_what_could_be_read_in_two_ways) {
  EXPECT_EQ(judge_response(ok_with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")), 502);
  EXPECT_EQ(judge_response(ok_with("Content-Length: 5\r\nContent-Length: 5\r\n")), 502);
  EXPECT_EQ(judge_response(ok_with("Content-Length: x\r\n")), 502);
  EXPECT_EQ(judge_response(ok_with("Transfer-Encoding: chunked, gzip\r\n")), 502);
  EXPECT_EQ(judge_response(ok_with("Transfer-Encoding: gzip, chunked\r\n")), 502);
  EXPECT_EQ(judge_response(ok_with("Transfer-Encoding: gzip\r\n")), 502);
  EXPECT_EQ(judge_response("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), 502);
  EXPECT_EQ(judge_response(ok_with("Connection: content-length\r\n")), 502);
}

TEST(ResponseFraming, rfc9112_6_3_finds_the_end_of_the_body) {
  EXPECT_EQ(read(ok_with("Content-Length: 5\r\n")).framing, Framing::length);
  EXPECT_EQ(read(ok_with("Transfer-Encoding: chunked\r\n")).framing, Framing::chunked);
  const ResponseHead until_close = read(ok_with(""));
  EXPECT_EQ(until_close.framing, Framing::until_close);
  EXPECT_FALSE(until_close.keep_alive);
}

TEST(ResponseFraming, rfc9112_6_3_head_204_and_304_have_no_body) {
  const ResponseHead head = read(ok_with("Content-Length: 5\r\n"), Method::head);
  EXPECT_EQ(head.framing, Framing::none);
  EXPECT_TRUE(head.has_content_length);
  EXPECT_EQ(head.content_length, 5U);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(read("HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n").framing, Framing::none);
  EXPECT_EQ(read("HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n").framing, Framing::none);
  EXPECT_TRUE(read("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n").keep_alive);
  const ResponseHead announced = read("HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(announced.framing, Framing::none);
  EXPECT_FALSE(announced.keep_alive) << "the three bytes would be taken for the next answer";
}

TEST(ResponseFraming, rfc9112_6_1_an_interim_answer_with_a_body_is_refused) {
  EXPECT_EQ(judge_response("HTTP/1.1 100 Continue\r\n\r\n"), 200);
  EXPECT_EQ(judge_response("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"), 200);
  EXPECT_EQ(judge_response("HTTP/1.1 100 Continue\r\nContent-Length: 1\r\n\r\n"), 502);
  EXPECT_EQ(judge_response("HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\n"), 502);
}

TEST(Switching, rfc9110_15_2_2_a_101_is_valid_only_for_the_upgrade_we_asked_for) {
  const std::string websocket = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
  EXPECT_EQ(judge_response(websocket, Method::get, true), 200);
  EXPECT_EQ(judge_response(websocket, Method::get, false), 502);
  EXPECT_EQ(judge_response("HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", Method::get, true), 502);
  EXPECT_EQ(judge_response("HTTP/1.1 101 S\r\nUpgrade: websocket\r\n\r\n", Method::get, true), 502);
  const std::string two = "HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nUpgrade: websocket\r\n\r\n";
  EXPECT_EQ(judge_response(two, Method::get, true), 502);
}

TEST(ResponsePersistence, rfc9112_9_3_decides_whether_the_upstream_connection_lives) {
  EXPECT_TRUE(read(ok_with("Content-Length: 0\r\n")).keep_alive);
  EXPECT_FALSE(read(ok_with("Content-Length: 0\r\nConnection: close\r\n")).keep_alive);
  EXPECT_FALSE(read("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").keep_alive);
  EXPECT_TRUE(read("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n").keep_alive);
}

}  // namespace
}  // namespace holdfast::http

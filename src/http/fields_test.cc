// Field lines, framing, connection and expectation of requests.
#include <gtest/gtest.h>

#include "http/parse_testing.h"

namespace holdfast::http {
namespace {

RequestHead read(const std::string& bytes, const Limits& limits = {}) {
  RequestHead head;
  const ParseOutcome outcome = parse_request_head(bytes, limits, head);
  EXPECT_EQ(verdict(outcome), 200) << outcome.reason;
  return head;
}

TEST(FieldLine, rfc9112_5_1_rejects_space_before_colon_and_names_that_are_no_tokens) {
  for (const char* line :
       {"X : a", "X\t: a", "X Y: a", "X", ": a", "X(: a", "X\x01: a", "X\x7f: a", "X\xc3: a", "\"X\": a",
        "Content-Length : 0", "Content\rLength: 0", "X@: a", "X\v: a", "Accept-Encodin\x07: a"}) {
    EXPECT_EQ(judge_request(get_with(std::string(line) + "\r\n")), 400) << line;
  }
  EXPECT_EQ(judge_request(get_with(std::string("X\0: a\r\n", 7))), 400);
}

TEST(FieldLine, rfc9112_5_2_rejects_line_folding) {
  EXPECT_EQ(judge_request(get_with("X: a\r\n b\r\n")), 400);
  EXPECT_EQ(judge_request(get_with("X: a\r\n\tb\r\n")), 400);
  EXPECT_EQ(judge_request("GET / HTTP/1.1\r\n Host: a\r\n\r\n"), 400);
}

TEST(FieldLine, rfc9110_5_5_rejects_every_control_byte_in_a_value_and_keeps_obs_text) {
  for (int c = 0; c < 256; ++c) {
    std::string line = "X-Long-Enough: 0123456789abcdef0123456789abcdef\r\n";
    line[25] = static_cast<char>(c);
    const bool good = (c >= 0x20 && c != 0x7f) || c == '\t';
    EXPECT_EQ(judge_request(get_with(line)), good ? 200 : 400) << c;
  }
}

TEST(FieldLine, rfc9112_5_1_trims_white_space_around_values) {
  const std::string bytes = get_with("X: \t a b \t \r\nY:\r\nZ:  \r\n");
  const RequestHead head = read(bytes);
  EXPECT_EQ(head.find("x")->value, "a b");
  EXPECT_EQ(head.find("y")->value, "");
  EXPECT_EQ(head.find("z")->value, "");
}

TEST(FieldName, every_known_name_is_recognised_in_any_case_and_nothing_near_it_is) {
  for (std::size_t i = 1; i < kNameCount; ++i) {
    const auto name = static_cast<Name>(i);
    std::string text(to_string(name));
    EXPECT_EQ(name_of(text), name) << text;
    for (std::size_t at = 0; at < text.size(); ++at) {
      std::string other = text;
      if (other[at] >= 'a') other[at] = static_cast<char>(other[at] - 0x20);
      EXPECT_EQ(name_of(other), name) << other;
      other[at] = static_cast<char>(text[at] ^ (text[at] >= 'a' ? 0x40 : 0x20));
      EXPECT_EQ(name_of(other), Name::other) << "a case-blind comparison that is too blind: " << text << ' ' << at;
    }
    EXPECT_EQ(name_of(text + "x"), Name::other);
  }
  EXPECT_EQ(name_of(""), Name::other);
  EXPECT_EQ(name_of("x"), Name::other);
}

TEST(FieldName, underscores_are_dropped_rejected_or_forwarded_as_told) {
  const std::string bytes = get_with("X_User: root\r\n");
  Limits limits;
  EXPECT_FALSE(read(bytes, limits).find("X_User")->end_to_end);
  limits.underscores = Underscores::forward;
  EXPECT_TRUE(read(bytes, limits).find("X_User")->end_to_end);
  limits.underscores = Underscores::reject;
  EXPECT_EQ(judge_request(bytes, limits), 400);
}

TEST(Framing, rfc9112_6_3_rejects_content_length_with_transfer_encoding) {
  EXPECT_EQ(judge_request(post_with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")), 400);
  EXPECT_EQ(judge_request(post_with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")), 400);
  EXPECT_EQ(judge_request(post_with("Transfer-Encoding: identity\r\nContent-Length: 5\r\n")), 400);
}

TEST(Framing, rfc9112_6_3_rejects_two_content_lengths) {
  EXPECT_EQ(judge_request(post_with("Content-Length: 5\r\nContent-Length: 6\r\n")), 400);
  EXPECT_EQ(judge_request(post_with("Content-Length: 5, 10\r\n")), 400);
}

TEST(Framing, rfc9110_8_6_rejects_two_equal_content_lengths_too) {
  EXPECT_EQ(judge_request(post_with("Content-Length: 42\r\nContent-Length: 42\r\n")), 400);
  EXPECT_EQ(judge_request(post_with("Content-Length: 42, 42\r\n")), 400);
}

TEST(Framing, rfc9110_8_6_accepts_only_decimal_content_lengths) {
  for (const char* wrong : {"", "+5", "-1", "0x5", "1_0", "5.0", "5 5", "5;", "five", "1e3", "9223372036854775808",
                            "18446744073709551615", "18446744073709551616", "1000000000000000000000", "5\v"}) {
    EXPECT_EQ(judge_request(post_with(std::string("Content-Length: ") + wrong + "\r\n")), 400) << wrong;
  }
  const std::string zeros = post_with("Content-Length:  007 \r\n");
  EXPECT_EQ(read(zeros).content_length, 7U);
  const std::string largest = post_with("Content-Length: 9223372036854775807\r\n");
  EXPECT_EQ(read(largest).content_length, 9223372036854775807U);
  const std::string zero = post_with("Content-Length: 0\r\n");
  EXPECT_EQ(read(zero).framing, Framing::length);
}

TEST(Framing, rfc9112_6_3_rejects_a_transfer_encoding_that_does_not_end_in_chunked) {
  for (const char* wrong : {"xchunked", "identity", "chunked, identity", "chunked, gzip", "gzip", "chunkedchunked",
                            "\"chunked\"", "chunked;q=1", "chunked,", "", "chunk", "chunked\xa0"}) {
    EXPECT_EQ(judge_request(post_with(std::string("Transfer-Encoding: ") + wrong + "\r\n")), 400) << wrong;
  }
}

TEST(Framing, rfc9112_6_1_rejects_chunked_twice_and_empty_or_controlled_elements) {
  for (const char* wrong : {"chunked, chunked", "chunked, gzip, chunked", ",chunked", ", chunked", "gzip,,chunked",
                            "chunked\v", "chunked\f", "\vchunked", "\"gzip\", chunked"}) {
    EXPECT_EQ(judge_request(post_with(std::string("Transfer-Encoding: ") + wrong + "\r\n")), 400) << wrong;
  }
  EXPECT_EQ(judge_request(post_with(std::string("Transfer-Encoding: chunked\0\r\n", 29))), 400);
  EXPECT_EQ(judge_request(post_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")), 400);
  EXPECT_EQ(judge_request(post_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n")), 400);
}

TEST(Framing, rfc9112_6_1_answers_501_to_an_unknown_coding_before_chunked) {
  EXPECT_EQ(judge_request(post_with("Transfer-Encoding: gzip, chunked\r\n")), 501);
  EXPECT_EQ(judge_request(post_with("Transfer-Encoding: identity , Chunked\r\n")), 501);
}

TEST(Framing, rfc9112_7_reads_chunked_in_any_case) {
  const std::string bytes = post_with("Transfer-encoding:  ChunKed \r\n");
  EXPECT_EQ(read(bytes).framing, Framing::chunked);
}

TEST(Framing, rfc9112_6_1_rejects_transfer_encoding_in_http_1_0) {
  EXPECT_EQ(judge_request("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
}

TEST(Framing, rfc9110_9_3_1_a_get_may_have_a_body_and_says_so) {
  const std::string bytes = get_with("Content-Length: 5\r\n");
  const RequestHead head = read(bytes);
  EXPECT_EQ(head.framing, Framing::length);
  EXPECT_EQ(head.content_length, 5U);
}

TEST(Connection, rfc9112_9_3_decides_persistence) {
  const auto keeps = [](const char* version, const char* lines) {
    const std::string bytes = std::string("GET / ") + version + "\r\nHost: a\r\n" + lines + "\r\n";
    return read(bytes).keep_alive;
  };
  EXPECT_TRUE(keeps("HTTP/1.1", ""));
  EXPECT_TRUE(keeps("HTTP/1.1", "Connection: keep-alive\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.1", "Connection: Close\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.1", "Connection: keep-alive, ,close\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.1", "Connection: keep-alive\r\nConnection: close\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.0", ""));
  EXPECT_TRUE(keeps("HTTP/1.0", "Connection: Keep-Alive\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.1", "Connection: close;\r\n")) << "in doubt the connection ends";
}

TEST(Connection, rfc9110_7_6_1_rejects_naming_framing_fields) {
  for (const char* option : {"Host", "content-length", "close, Transfer-Encoding"}) {
    EXPECT_EQ(judge_request(get_with(std::string("Connection: ") + option + "\r\n")), 400) << option;
  }
}

TEST(Connection, rfc9110_7_6_1_takes_out_what_it_names_but_never_who_the_client_is) {
  const std::string bytes = get_with(
      "X-Mine: 1\r\nConnection: x-mine, Cookie, X-Forwarded-For, Authorization\r\nCookie: a=b\r\n"
      "X-Forwarded-For: 1.2.3.4\r\nAuthorization: Basic x\r\n");
  const RequestHead head = read(bytes);
  EXPECT_FALSE(head.find("X-Mine")->end_to_end);
  EXPECT_FALSE(head.find(Name::connection)->end_to_end);
  EXPECT_TRUE(head.find(Name::cookie)->end_to_end);
  EXPECT_TRUE(head.find(Name::x_forwarded_for)->end_to_end);
  EXPECT_TRUE(head.find(Name::authorization)->end_to_end);
}

TEST(Connection, options_have_a_limit) {
  Limits limits;
  limits.connection_options = 3;
  EXPECT_EQ(judge_request(get_with("Connection: a,b\r\n"), limits), 200);
  EXPECT_EQ(judge_request(get_with("Connection: a,b,c\r\n"), limits), 200);
  EXPECT_EQ(judge_request(get_with("Connection: a,b,c,d\r\n"), limits), 431);
  EXPECT_EQ(judge_request(get_with("Connection: a,b\r\nConnection: c,d\r\n"), limits), 431);
}

TEST(Upgrade, rfc9110_7_8_only_a_whole_websocket_handshake_counts) {
  const auto asks = [](const std::string& bytes) { return read(bytes).websocket; };
  EXPECT_TRUE(asks(get_with("Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n")));
  EXPECT_FALSE(asks(get_with("Upgrade: websocket\r\n")));
  EXPECT_FALSE(asks(get_with("Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n")));
  EXPECT_FALSE(asks(get_with("Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n")));
  EXPECT_FALSE(asks(get_with("Connection: Upgrade\r\nUpgrade: h2c\r\nUpgrade: websocket\r\n")));
  EXPECT_FALSE(asks(get_with("Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n")));
  EXPECT_FALSE(asks(get_with("Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n")));
  EXPECT_FALSE(asks(post_with("Connection: Upgrade\r\nUpgrade: websocket\r\n")));
  EXPECT_FALSE(asks("GET / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"));
}

TEST(Expect, rfc9110_10_1_1_answers_417_to_anything_but_100_continue) {
  EXPECT_EQ(judge_request(post_with("Expect: 100-Continue\r\n")), 200);
  for (const char* odd : {"y 100-continue", "100-continue, x", "100 continue", "", "200-ok", "100-continue\t,"}) {
    EXPECT_EQ(judge_request(post_with(std::string("Expect: ") + odd + "\r\n")), 417) << odd;
  }
  EXPECT_EQ(judge_request(post_with("Expect: 100-continue\r\nExpect: 100-continue\r\n")), 417);
}

TEST(Expect, rfc9110_10_1_1_waits_only_for_a_body_in_http_1_1) {
  const std::string with_body = post_with("Expect: 100-continue\r\nContent-Length: 5\r\n");
  EXPECT_TRUE(read(with_body).expect_continue);
  const std::string without = post_with("Expect: 100-continue\r\n");
  EXPECT_FALSE(read(without).expect_continue);
  EXPECT_FALSE(read("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n").expect_continue);
}

}  // namespace
}  // namespace holdfast::http

// Receiving in other pieces, or writing and reading again, changes nothing. The fuzzers ask the same of all other
// bytes.
#include "http/meaning.h"

#include <gtest/gtest.h>

#include "http/head_end.h"
#include "http/parse_testing.h"

namespace holdfast::http {
namespace {

const std::string kRequests[] = {
    get_with(""),
    "\r\n" + get_with("X: y\r\n") + "body",
    get_of("http://a.example:80/x?y=z"),
    post_with("Content-Length: 0012\r\nExpect: 100-continue\r\nCookie:a=b \r\n"),
    post_with("Transfer-Encoding: chunked\r\nTrailer: X\r\nConnection: close, X-Gone\r\nX-Gone: 1\r\nX_Gone: 2\r\n"),
    get_with("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: abc\r\n"),
    "OPTIONS * HTTP/1.0\r\nHost: [::1]:80\r\n\r\n",
    "GET / HTTP/1.0\r\n\r\n",
    get_with("X : y\r\n"),
    get_with("X: y\r\n z\r\n"),
    get_with("X: \x01\r\n"),
    post_with("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
    get_of("/\x80"),
    "GET / HTTP/1.1\nHost: a\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "CONNECT a:1 HTTP/1.1\r\n\r\n",
    post_with("Expect: tea\r\n"),
    std::string("\x16\x03\x01\x02\x00\x01\x00", 7),
};

const std::string kResponses[] = {
    ok_with("Content-Length: 5\r\nServer: x\r\n") + "hello",
    ok_with("Transfer-Encoding: Chunked\r\nConnection: close\r\nA:b\r\n"),
    ok_with("Set-Cookie: a=b\r\nSet-Cookie: c=d\r\n"),
    "HTTP/1.0 404\r\n\r\n",
    "HTTP/1.1 304 \t Not  Modified \r\nContent-Length: 7\r\n\r\n",
    "HTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "HTTP/1.1 20 OK\r\n\r\n",
    ok_with("Content-Length: 5, 5\r\n"),
};

TEST(Meaning, a_prefix_is_incomplete_or_says_what_the_whole_says) {
  for (const std::string& bytes : kRequests) EXPECT_EQ(contradiction_in_request(bytes, Limits{}), "") << bytes;
  for (const std::string& bytes : kResponses) {
    for (const bool upgrade_asked : {false, true}) {
      EXPECT_EQ(contradiction_in_response(bytes, Limits{}, Method::get, upgrade_asked), "") << bytes;
      EXPECT_EQ(contradiction_in_response(bytes, Limits{}, Method::head, upgrade_asked), "") << bytes;
    }
  }
}

TEST(Meaning, a_prefix_agrees_at_every_limit_too) {
  for (const std::string& bytes : kRequests) {
    for (std::uint32_t limit = 1; limit < bytes.size(); ++limit) {
      Limits limits;
      limits.header_bytes = limit;
      EXPECT_EQ(contradiction_in_request(bytes, limits), "") << bytes << limit;
      limits = {};
      limits.field_bytes = limit;
      limits.target_bytes = limit;
      limits.method_bytes = limit;
      limits.headers = limit / 8;
      EXPECT_EQ(contradiction_in_request(bytes, limits), "") << bytes << limit;
    }
  }
}

TEST(Meaning, reading_what_was_written_gives_the_same_request) {
  for (const std::string& bytes : kRequests) {
    RequestHead head;
    if (verdict(parse_request_head(bytes, Limits{}, head)) != 200) continue;
    EXPECT_EQ(change_by_writing(head, {.client = "::1", .forward_expect = true, .websocket = true}), "") << bytes;
  }
}

TEST(Meaning, reading_what_was_written_gives_the_same_response) {
  for (const std::string& bytes : kResponses) {
    for (const Method method : {Method::get, Method::head}) {
      ResponseHead head;
      if (verdict(parse_response_head(bytes, Limits{}, method, head, true)) != 200) continue;
      const ResponseRewrite rewrite{
          .framing = head.framing, .content_length = head.content_length, .websocket = head.websocket};
      EXPECT_EQ(change_by_writing(head, method, rewrite), "") << bytes;
    }
  }
}

TEST(HeadEndScanner, a_head_that_comes_byte_by_byte_is_parsed_a_few_times_only) {
  const std::string bytes = get_with("X-Long: " + std::string(4000, 'v') + "\r\n");
  HeadEndScanner scanner;
  int parses = 0;
  for (std::size_t size = 1; size <= bytes.size(); ++size) {
    const bool parse = scanner.should_parse(std::string_view(bytes).substr(0, size));
    parses += parse ? 1 : 0;
    EXPECT_TRUE(parse || size < bytes.size()) << "the empty line is there";
  }
  EXPECT_LE(parses, 14);
}

TEST(HeadEndScanner, a_bare_lf_is_worth_a_look) {
  HeadEndScanner scanner;
  const std::string bytes = get_with("");
  EXPECT_TRUE(scanner.should_parse(bytes.substr(0, 20)));
  EXPECT_FALSE(scanner.should_parse(bytes.substr(0, 25)));
  EXPECT_TRUE(scanner.should_parse(bytes.substr(0, 25) + "\n"));
  scanner.reset();
  EXPECT_TRUE(scanner.should_parse("G"));
}

TEST(RequestHead, a_warm_head_keeps_its_memory) {
  RequestHead head;
  const std::string bytes = get_with("A: 1\r\nB: 2\r\nC: 3\r\n");
  parse_request_head(bytes, Limits{}, head);
  const Field* const first = &*head.fields.begin();
  parse_request_head(bytes, Limits{}, head);
  EXPECT_EQ(&*head.fields.begin(), first);
}

}  // namespace
}  // namespace holdfast::http

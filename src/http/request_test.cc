// The request line, its target, Host, and the limits of a head.
#include <functional>
#include <gtest/gtest.h>

#include "http/parse_testing.h"

namespace holdfast::http {
namespace {

TEST(RequestHead, reads_what_a_browser_sends) {
  const std::string bytes =
      "GET /a/b?c=d HTTP/1.1\r\nHost: Feed.example:8080\r\nAccept:*/*\r\ncookie: x=1 \r\nX-Mine: \r\n\r\nrest";
  RequestHead head;
  const ParseOutcome outcome = parse_request_head(bytes, Limits{}, head);
  ASSERT_EQ(verdict(outcome), 200) << outcome.reason;
  EXPECT_EQ(outcome.head_bytes, bytes.size() - 4);
  EXPECT_EQ(head.method, Method::get);
  EXPECT_EQ(head.target, "/a/b?c=d");
  EXPECT_EQ(head.path, "/a/b");
  EXPECT_EQ(head.query, "c=d");
  EXPECT_EQ(head.authority, "Feed.example:8080");
  EXPECT_EQ(head.host, "Feed.example");
  EXPECT_EQ(head.port, 8080);
  EXPECT_EQ(head.framing, Framing::none);
  EXPECT_TRUE(head.keep_alive);
  ASSERT_EQ(head.fields.size(), 4U);
  EXPECT_EQ(head.find(Name::accept)->value, "*/*");
  EXPECT_EQ(head.find("COOKIE")->value, "x=1");
  EXPECT_EQ(head.find("x-mine")->value, "");
  EXPECT_EQ(head.find("x-min"), nullptr);
}

TEST(RequestHead, tells_a_missing_query_from_an_empty_one) {
  RequestHead head;
  parse_request_head(get_of("/a"), Limits{}, head);
  EXPECT_EQ(head.query.data(), nullptr);
  const std::string empty = get_of("/a?");
  parse_request_head(empty, Limits{}, head);
  EXPECT_NE(head.query.data(), nullptr);
}

TEST(RequestLine, rfc9112_2_2_skips_one_empty_line_and_no_more) {
  EXPECT_EQ(judge_request("\r\n" + get_of("/")), 200);
  EXPECT_EQ(judge_request("\r\n\r\n" + get_of("/")), 400);
  EXPECT_EQ(judge_request("\n" + get_of("/")), 400);
}

TEST(RequestLine, rfc9112_2_2_rejects_bare_cr_and_bare_lf) {
  for (const char* bytes :
       {"GET / HTTP/1.1\nHost: a\r\n\r\n", "GET / HTTP/1.1\rHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\n", "GET / HTTP/1.1\r\nHost: a\r\n\rX",
        "GET / HTTP/1.1\r\nHost: a\r\nX: 1\rY: 2\r\n\r\n", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n"}) {
    EXPECT_EQ(judge_request(bytes), 400) << bytes;
  }
}

TEST(RequestLine, rfc9112_3_rejects_other_shapes) {
  for (const char* line : {"GET  / HTTP/1.1", "GET /  HTTP/1.1", " GET / HTTP/1.1", "GET / HTTP/1.1 ", "GET /",
                           "GET\t/ HTTP/1.1", "GET / a HTTP/1.1", "G(T / HTTP/1.1", "GET HTTP/1.1", "GET", " "}) {
    EXPECT_EQ(judge_request(std::string(line) + "\r\nHost: a\r\n\r\n"), 400) << line;
  }
}

TEST(RequestLine, rfc9112_2_3_accepts_only_digit_dot_digit_and_serves_only_major_1) {
  const auto judge = [](std::string_view version) {
    return judge_request(std::string("GET / ").append(version).append("\r\nHost: a\r\n\r\n"));
  };
  EXPECT_EQ(judge("HTTP/1.1"), 200);
  EXPECT_EQ(judge("HTTP/1.0"), 200);
  EXPECT_EQ(judge("HTTP/1.2"), 200) << "RFC 9110 2.5: a higher minor version is read as the highest known";
  for (const char* wrong : {"http/1.1", "HTTP/1", "HTTP/1.", "HTTP/1.10", "HTTP/01.1", "HTTP/11.1", "HTTP/ 1.1",
                            "HTTP/1,1", "HTTP/0.9", "HTTP/a.1", "HTP/1.1", "RTSP/1.0", "HTTP /1.1", "HTTP/1.1\t"}) {
    EXPECT_EQ(judge(wrong), 400) << wrong;
  }
  for (const char* other : {"HTTP/2.0", "HTTP/3.0", "HTTP/5.6"}) EXPECT_EQ(judge(other), 505) << other;
  EXPECT_EQ(judge_request("GET / HTTP/2"), 505) << "the rest need not come";
  EXPECT_EQ(judge_request("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
}

TEST(RequestLine, rfc9110_9_1_forwards_unknown_methods_that_are_tokens_up_to_the_limit) {
  const auto judge = [](std::size_t size) {
    return judge_request(std::string(size, 'M') + " / HTTP/1.1\r\nHost: a\r\n\r\n");
  };
  EXPECT_EQ(judge(31), 200);
  EXPECT_EQ(judge(32), 200);
  EXPECT_EQ(judge(33), 501);
  RequestHead head;
  const std::string lower_case = "get / HTTP/1.1\r\nHost: a\r\n\r\n";
  parse_request_head(lower_case, Limits{}, head);
  EXPECT_EQ(head.method, Method::other) << "methods are case-sensitive";
}

TEST(RequestLine, rfc9110_9_3_refuses_trace_and_connect) {
  EXPECT_EQ(judge_request("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"), 405);
  EXPECT_EQ(judge_request("CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n"), 405);
}

TEST(RequestTarget, rfc9112_3_2_3_wants_host_and_port_for_connect_and_authority_form_for_nothing_else) {
  EXPECT_EQ(judge_request("CONNECT a.example HTTP/1.1\r\nHost: a.example\r\n\r\n"), 400);
  EXPECT_EQ(judge_request("CONNECT /x HTTP/1.1\r\nHost: a.example\r\n\r\n"), 400);
  EXPECT_EQ(judge_request(get_of("a.example:80", "a.example:80")), 400);
}

TEST(RequestTarget, rfc9112_3_2_4_keeps_the_asterisk_for_options) {
  EXPECT_EQ(judge_request(get_of("*")), 400);
  EXPECT_EQ(judge_request("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
  EXPECT_EQ(judge_request("OPTIONS ** HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
}

TEST(RequestTarget, rfc9112_3_2_rejects_what_is_neither_path_nor_http_uri) {
  for (const char* target : {"admin", "?a", "#", "/a#b", "http:/a", "http:a", "http://", "http:///a",
                             "ftp://a.example/", "http://user@a.example/", "http://user:pw@a.example/", "//"}) {
    EXPECT_EQ(judge_request(get_of(target)), std::string_view(target) == "//" ? 200 : 400) << target;
  }
}

TEST(RequestTarget, rfc9112_3_2_rejects_every_control_and_8_bit_byte) {
  for (int c = 0; c < 256; ++c) {
    std::string target = "/0123456789abcdef0123456789?x";
    target[20] = static_cast<char>(c);
    const bool visible = c > 0x20 && c < 0x7f && c != '#';
    EXPECT_EQ(judge_request(get_of(target)), visible ? 200 : 400) << c;
  }
}

TEST(RequestTarget, rfc9112_3_2_2_reads_an_absolute_uri) {
  RequestHead head;
  const std::string bytes = get_of("HTTP://A.example?x=1", "a.example");
  ASSERT_EQ(verdict(parse_request_head(bytes, Limits{}, head)), 200);
  EXPECT_EQ(head.authority, "A.example");
  EXPECT_EQ(head.path, "/");
  EXPECT_EQ(head.query, "x=1");
  const std::string options = "OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n";
  ASSERT_EQ(verdict(parse_request_head(options, Limits{}, head)), 200);
  EXPECT_EQ(head.path, "*") << "RFC 9112 3.2.4";
}

TEST(RequestTarget, rfc9112_3_2_2_rejects_an_absolute_uri_that_disagrees_with_host) {
  EXPECT_EQ(judge_request(get_of("http://a.example/", "A.EXAMPLE:80")), 200);
  EXPECT_EQ(judge_request(get_of("https://a.example:443/", "a.example")), 200);
  EXPECT_EQ(judge_request(get_of("http://a.example:80/", "a.example:")), 200);
  EXPECT_EQ(judge_request(get_of("http://a.example/", "b.example")), 400);
  EXPECT_EQ(judge_request(get_of("http://a.example/", "a.example:81")), 400);
  EXPECT_EQ(judge_request(get_of("https://a.example/", "a.example:80")), 400);
  EXPECT_EQ(judge_request(get_of("http://a.example/", "")), 400);
}

TEST(Host, rfc9112_3_2_is_there_once_in_http_1_1) {
  EXPECT_EQ(judge_request("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(judge_request("GET http://a/ HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(judge_request("GET / HTTP/1.0\r\n\r\n"), 200);
  EXPECT_EQ(judge_request(get_with("Host: a.example\r\n")), 400);
  EXPECT_EQ(judge_request(get_with("hOST: b\r\n")), 400);
}

TEST(Host, rfc9110_7_2_is_host_and_optional_port) {
  for (const char* good : {"a", "a.example", "a.example:1", "a.example:65535", "127.0.0.1:80", "[::1]",
                           "[2001:db8::1]:8080", "a_b.example", "a%20b", "0.0.0.0=5000", "a:", ""}) {
    EXPECT_EQ(judge_request(get_of("/", good)), 200) << good;
  }
  for (const char* wrong :
       {"u@a.example", "a.example/x", "a.example, b", "a,b",     "a b",          "a:b",   "a:0",
        "a:65536",     "a:-1",        "a:+1",         "a:80:80", "a:0x50",       ":80",   "[::1",
        "::1",         "[::1]x",      "[]",           "[:]",     "[::1%25eth0]", "[g::]", "a?b",
        "a#b",         "a\\b",        "a%2",          "a%zz",    "\"a\"",        "a<b",   "h\xc3\xb6st"}) {
    EXPECT_EQ(judge_request(get_of("/", wrong)), 400) << wrong;
  }
}

TEST(Limits, rfc9112_3_target_too_long_is_414) {
  Limits limits;
  limits.target_bytes = 20;
  const auto judge = [&](std::size_t size) { return judge_request(get_of("/" + std::string(size - 1, 'a')), limits); };
  EXPECT_EQ(judge(19), 200);
  EXPECT_EQ(judge(20), 200);
  EXPECT_EQ(judge(21), 414);
  EXPECT_EQ(judge_request("GET /" + std::string(20, 'a'), limits), 414) << "before its end has come";
}

TEST(Limits, rfc6585_5_too_many_fields_is_431) {
  Limits limits;
  limits.headers = 5;
  const auto judge = [&](int more) {
    std::string lines;
    for (int i = 0; i < more; ++i) lines += "X: y\r\n";
    return judge_request(get_with(lines), limits);
  };
  EXPECT_EQ(judge(3), 200);
  EXPECT_EQ(judge(4), 200);
  EXPECT_EQ(judge(5), 431);
}

TEST(Limits, rfc6585_5_field_too_long_is_431) {
  Limits limits;
  limits.field_bytes = 40;
  const auto judge_value = [&](std::size_t size) {
    return judge_request(get_with("X: " + std::string(size - 3, 'v') + "\r\n"), limits);
  };
  const auto judge_name = [&](std::size_t size) {
    return judge_request(get_with(std::string(size - 1, 'n') + ":\r\n"), limits);
  };
  for (const auto& judge :
       {std::function<int(std::size_t)>(judge_value), std::function<int(std::size_t)>(judge_name)}) {
    EXPECT_EQ(judge(39), 200);
    EXPECT_EQ(judge(40), 200);
    EXPECT_EQ(judge(41), 431);
  }
}

TEST(Limits, rfc6585_5_head_too_long_is_431) {
  const std::string bytes = get_with("X-A: 1\r\n");
  Limits limits;
  limits.header_bytes = static_cast<std::uint32_t>(bytes.size());
  EXPECT_EQ(judge_request(bytes, limits), 200);
  EXPECT_EQ(judge_request(bytes + "more of the body", limits), 200);
  limits.header_bytes += 1;
  EXPECT_EQ(judge_request(bytes, limits), 200);
  limits.header_bytes -= 2;
  EXPECT_EQ(judge_request(bytes, limits), 431);
}

}  // namespace
}  // namespace holdfast::http

// What leaves the proxy: heads towards upstreams and clients, and answers of our own.
#include <gtest/gtest.h>
#include <vector>

#include "http/lookup.h"
#include "http/parse_testing.h"
#include "http/status.h"
#include "http/write_local.h"
#include "http/write_request.h"
#include "http/write_response.h"

namespace holdfast::http {
namespace {

std::string rewrite_request(const std::string& bytes, const RequestRewrite& rewrite = {}) {
  RequestHead head;
  const ParseOutcome outcome = parse_request_head(bytes, Limits{}, head);
  EXPECT_EQ(verdict(outcome), 200) << outcome.reason;
  std::vector<char> out(request_head_bound(head, rewrite));
  const auto size = write_request_head(head, rewrite, out);
  EXPECT_TRUE(size.has_value());
  EXPECT_FALSE(write_request_head(head, rewrite, std::span(out).first(out.size() - 1)).has_value());
  return {out.data(), size.value_or(0)};
}

std::string rewrite_response(const std::string& bytes, const ResponseRewrite& rewrite, Method method = Method::get,
                             bool upgrade_asked = false) {
  ResponseHead head;
  const ParseOutcome outcome = parse_response_head(bytes, Limits{}, method, head, upgrade_asked);
  EXPECT_EQ(verdict(outcome), 200) << outcome.reason;
  std::vector<char> out(response_head_bound(head, rewrite));
  const auto size = write_response_head(head, rewrite, out);
  EXPECT_TRUE(size.has_value());
  EXPECT_FALSE(write_response_head(head, rewrite, std::span(out).first(out.size() - 1)).has_value());
  return {out.data(), size.value_or(0)};
}

std::string answer(const LocalResponse& response) {
  std::vector<char> out(local_response_bound(response));
  const auto size = write_local_response(response, out);
  EXPECT_TRUE(size.has_value());
  EXPECT_FALSE(write_local_response(response, std::span(out).first(out.size() - 1)).has_value());
  return {out.data(), size.value_or(0)};
}

TEST(WriteRequest, host_comes_first_and_names_keep_their_spelling) {
  EXPECT_EQ(rewrite_request("GET /a?b HTTP/1.1\r\nuser-AGENT:  x \r\nAccept: */*\r\nhost: A\r\nX-Z:\r\n\r\n"),
            "GET /a?b HTTP/1.1\r\nHost: A\r\nuser-AGENT: x\r\nAccept: */*\r\nX-Z: \r\nX-Forwarded-Host: A\r\n\r\n");
}

TEST(WriteRequest, rfc9110_7_6_1_takes_hop_by_hop_fields_out) {
  EXPECT_EQ(
      rewrite_request("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: 5\r\n"
                      "Proxy-Connection: close\r\nTE: trailers\r\nTrailer: X\r\nA: b\r\nX_U: 1\r\n"
                      "Proxy-Authorization: x\r\n\r\n"),
      "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\nX-Forwarded-Host: a\r\n\r\n");
}

TEST(WriteRequest, rfc9112_6_3_writes_exactly_one_canonical_framing_field) {
  EXPECT_EQ(rewrite_request("POST / HTTP/1.1\r\nContent-Length: 007\r\nHost: a\r\nB: c\r\n\r\n"),
            "POST / HTTP/1.1\r\nHost: a\r\nB: c\r\nContent-Length: 7\r\nX-Forwarded-Host: a\r\n\r\n");
  EXPECT_EQ(rewrite_request("POST / HTTP/1.1\r\nHost: a\r\nTransfer-encoding: CHUNKED\r\nTrailer: X\r\n\r\n"),
            "POST / HTTP/1.1\r\nHost: a\r\nTrailer: X\r\nTransfer-Encoding: chunked\r\nX-Forwarded-Host: a\r\n\r\n");
}

TEST(WriteRequest, rfc9112_3_2_1_goes_out_in_origin_form) {
  EXPECT_EQ(rewrite_request("GET http://a.example?x HTTP/1.1\r\nHost: a.example\r\n\r\n"),
            "GET /?x HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-Host: a.example\r\n\r\n");
  RequestRewrite rewrite;
  rewrite.target = "/new?q";
  rewrite.host = "inner:80";
  rewrite.keep_alive = false;
  EXPECT_EQ(rewrite_request("GET /old HTTP/1.0\r\n\r\n", rewrite),
            "GET /new?q HTTP/1.1\r\nHost: inner:80\r\nConnection: close\r\n\r\n");
}

TEST(WriteRequest, rfc9110_7_8_strips_every_upgrade_but_a_websocket_that_is_passed_on) {
  const std::string h2c = get_with("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n");
  RequestRewrite rewrite;
  rewrite.websocket = true;
  EXPECT_EQ(rewrite_request(h2c, rewrite), "GET / HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-Host: a.example\r\n\r\n");
  const std::string websocket = get_with("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n");
  EXPECT_EQ(rewrite_request(websocket, rewrite),
            "GET / HTTP/1.1\r\nHost: a.example\r\nSec-WebSocket-Key: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "X-Forwarded-Host: a.example\r\n\r\n");
  EXPECT_EQ(rewrite_request(websocket),
            "GET / HTTP/1.1\r\nHost: a.example\r\nSec-WebSocket-Key: x\r\nX-Forwarded-Host: a.example\r\n\r\n");
}

TEST(WriteRequest, rfc9110_10_1_1_keeps_an_expectation_only_when_told) {
  const std::string bytes = post_with("Expect: 100-continue\r\nContent-Length: 1\r\n");
  EXPECT_EQ(rewrite_request(bytes).find("Expect"), std::string::npos);
  RequestRewrite rewrite;
  rewrite.forward_expect = true;
  EXPECT_NE(rewrite_request(bytes, rewrite).find("Expect: 100-continue\r\n"), std::string::npos);
}

TEST(WriteRequest, forwarding_fields_of_an_untrusted_peer_are_replaced) {
  RequestRewrite rewrite;
  rewrite.client = "10.0.0.9";
  rewrite.proto = "https";
  rewrite.request_id = "id";
  EXPECT_EQ(rewrite_request(get_with("X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: evil\r\n"
                                     "X-Request-Id: theirs\r\nForwarded: for=1.1.1.1\r\nX-Real-IP: 1.1.1.1\r\n"
                                     "X-Forwarded-Port: 1\r\nConnection: x-forwarded-for\r\n"),
                            rewrite),
            "GET / HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-For: 10.0.0.9\r\nX-Forwarded-Proto: https\r\n"
            "X-Forwarded-Host: a.example\r\nX-Request-Id: id\r\n\r\n");
}

TEST(WriteRequest, forwarding_fields_of_a_trusted_peer_are_appended_to_or_kept) {
  RequestRewrite rewrite;
  rewrite.client = "10.0.0.9";
  rewrite.proto = "https";
  rewrite.request_id = "id";
  rewrite.trust_forwarded = true;
  EXPECT_EQ(rewrite_request(
                get_with("X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2\r\nX-Request-Id: theirs\r\n"), rewrite),
            "GET / HTTP/1.1\r\nHost: a.example\r\nX-Request-Id: theirs\r\n"
            "X-Forwarded-For: 1.1.1.1, 2.2.2.2, 10.0.0.9\r\nX-Forwarded-Proto: https\r\n"
            "X-Forwarded-Host: a.example\r\n\r\n");
}

TEST(WriteRequest, a_field_taken_out_by_the_caller_stays_out_and_extras_come_last) {
  const std::string bytes = get_with("A: 1\r\nB: 2\r\nC: 3\r\n");
  RequestHead head;
  parse_request_head(bytes, Limits{}, head);
  for (Field& field : head.fields) {
    if (field.name == "B") field.end_to_end = false;
  }
  const Field extra[] = {{.name = "D", .value = "4"}};
  RequestRewrite rewrite;
  rewrite.extra = extra;
  std::vector<char> out(request_head_bound(head, rewrite));
  const std::string written(out.data(), *write_request_head(head, rewrite, out));
  EXPECT_EQ(written,
            "GET / HTTP/1.1\r\nHost: a.example\r\nA: 1\r\nC: 3\r\nX-Forwarded-Host: a.example\r\nD: 4\r\n\r\n");
}

TEST(WriteResponse, rfc9112_9_3_says_what_becomes_of_the_connection) {
  ResponseRewrite rewrite{.framing = Framing::length, .content_length = 3};
  const std::string bytes = ok_with("Content-Length: 03\r\nConnection: close\r\nKeep-Alive: 5\r\nA: b\r\n");
  EXPECT_EQ(rewrite_response(bytes, rewrite), "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 3\r\n\r\n");
  rewrite.client_minor_version = 0;
  EXPECT_EQ(rewrite_response(bytes, rewrite),
            "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\n");
  rewrite.keep_alive = false;
  EXPECT_EQ(rewrite_response(bytes, rewrite),
            "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 3\r\nConnection: close\r\n\r\n");
}

TEST(WriteResponse, rfc9112_6_3_frames_as_told) {
  const Field cookie[] = {{.name = "Set-Cookie", .value = "s=1"}};
  EXPECT_EQ(rewrite_response(ok_with("A: b\r\n"), {.framing = Framing::chunked, .extra = cookie}),
            "HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\nSet-Cookie: s=1\r\n\r\n");
  EXPECT_EQ(rewrite_response(ok_with("Transfer-Encoding: chunked\r\nTrailer: X\r\n"),
                             {.framing = Framing::until_close, .keep_alive = false, .client_minor_version = 0}),
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
}

TEST(WriteResponse, rfc9110_8_6_keeps_the_length_of_head_and_304_answers_and_of_no_204) {
  EXPECT_EQ(rewrite_response(ok_with("Content-Length: 5\r\n"), {}, Method::head),
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(rewrite_response("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", {}),
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n");
  EXPECT_EQ(rewrite_response("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", {}),
            "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(rewrite_response("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", {}),
            "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
}

TEST(WriteResponse, rfc9110_7_8_passes_a_websocket_on) {
  EXPECT_EQ(rewrite_response("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             "Sec-WebSocket-Accept: x\r\n\r\n",
                             {.websocket = true}, Method::get, true),
            "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\n\r\n");
}

TEST(WriteResponse, a_body_without_length_is_chunked_for_http_1_1_and_ends_the_connection_for_http_1_0) {
  ResponseHead head;
  head.framing = Framing::until_close;
  EXPECT_EQ(client_framing(head, 1), Framing::chunked);
  EXPECT_EQ(client_framing(head, 0), Framing::until_close);
  head.framing = Framing::length;
  EXPECT_EQ(client_framing(head, 0), Framing::length);
}

TEST(WriteLocal, says_whose_answer_it_is) {
  EXPECT_EQ(answer({.status = 503, .reason = "breaker-open", .retry_after_s = 2, .keep_alive = true}),
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 38\r\n"
            "X-Holdfast-Reason: breaker-open\r\nRetry-After: 2\r\n\r\n503 Service Unavailable: breaker-open\n");
  EXPECT_EQ(answer({.status = 400, .reason = "bad-request", .to_head = true}),
            "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 29\r\n"
            "X-Holdfast-Reason: bad-request\r\nConnection: close\r\n\r\n");
}

TEST(WriteLocal, says_how_many_of_its_bytes_are_the_body) {
  for (const LocalResponse& response : {
           LocalResponse{.status = 503, .reason = "breaker-open"},
           LocalResponse{.status = 404, .reason = "no-route", .to_head = true},
           LocalResponse{.status = 200, .body = "{}"},
           LocalResponse{.status = 308, .body = ""},
           LocalResponse{.status = 204, .body = "x"},
       }) {
    const std::string whole = answer(response);
    EXPECT_EQ(whole.size() - (whole.find("\r\n\r\n") + 4), local_body_size(response)) << whole;
  }
}

TEST(WriteLocal, carries_a_fallback_or_a_redirect) {
  const Field location[] = {{.name = "Location", .value = "/new"}};
  EXPECT_EQ(answer({.status = 308, .keep_alive = true, .body = "", .extra = location}),
            "HTTP/1.1 308 Permanent Redirect\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 0\r\n"
            "Location: /new\r\n\r\n");
  EXPECT_EQ(answer({.status = 200, .keep_alive = true, .client_minor_version = 0, .body = "{}", .content_type = "a/b"}),
            "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n{}");
}

TEST(WriteLocal, rfc9110_15_5_6_names_the_methods_with_405) {
  EXPECT_NE(answer({.status = 405, .reason = "method"}).find("\r\nAllow: GET,"), std::string::npos);
}

TEST(WriteLocal, rfc9112_6_3_a_204_has_neither_body_nor_length) {
  EXPECT_EQ(answer({.status = 204, .keep_alive = true, .body = "x"}), "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST(Lookup, finds_cookies_and_query_parameters_by_exact_name) {
  const std::string bytes =
      "GET /?ab=1&a=2&c&d=&a=3 HTTP/1.1\r\nHost: h\r\nCookie: sid2=x; sid=y=z\r\nCookie: other=1\r\n\r\n";
  RequestHead head;
  ASSERT_EQ(verdict(parse_request_head(bytes, Limits{}, head)), 200);
  EXPECT_EQ(find_cookie(head, "sid"), "y=z");
  EXPECT_EQ(find_cookie(head, "other"), "1");
  EXPECT_EQ(find_cookie(head, "SID"), std::nullopt);
  EXPECT_EQ(find_query(head, "a"), "2");
  EXPECT_EQ(find_query(head, "c"), "");
  EXPECT_EQ(find_query(head, "d"), "");
  EXPECT_EQ(find_query(head, "b"), std::nullopt);
}

TEST(Method, rfc9110_9_2_says_what_may_be_sent_twice) {
  for (const char* twice : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})
    EXPECT_TRUE(is_idempotent(method_of(twice)));
  for (const char* once : {"POST", "PATCH", "CONNECT", "PURGE", "get"}) EXPECT_FALSE(is_idempotent(method_of(once)));
  for (const char* token : {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"}) {
    EXPECT_EQ(to_string(method_of(token)), token);
  }
  EXPECT_EQ(reason_phrase(431), "Request Header Fields Too Large");
  EXPECT_EQ(reason_phrase(599), "Unknown");
}

}  // namespace
}  // namespace holdfast::http

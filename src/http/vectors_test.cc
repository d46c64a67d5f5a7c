// llhttp's own test vectors (MIT), replayed when HOLDFAST_VECTORS names the directory that holds llhttp.json: what it
// refuses we refuse, what it accepts we forward, but for the table below, each line of which gives its reason. Beside
// it, the requests that http-desync-guardian (Apache-2.0) calls severe.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <set>

#include "http/chunked.h"
#include "http/parse_testing.h"

namespace holdfast::http {
namespace {

struct Difference {
  std::string_view name;
  bool we_accept;
  std::string_view why;
};

constexpr Difference kDifferences[] = {
    // llhttp speaks other protocols and older ones.
    {"SOURCE request with ICE", false, "RFC 9112 2.3: HTTP-name is HTTP"},
    {"OPTIONS request with RTSP", false, "RFC 9112 2.3: HTTP-name is HTTP"},
    {"ANNOUNCE request with RTSP", false, "RFC 9112 2.3: HTTP-name is HTTP"},
    {"RTSP response", false, "RFC 9112 2.3: HTTP-name is HTTP"},
    {"ICE response", false, "RFC 9112 2.3: HTTP-name is HTTP"},
    {"No HTTP version", false, "RFC 9112 3: request-line = method SP request-target SP HTTP-version"},
    {"HTTP version 0.9", false, "RFC 9112 2.3: a status line of HTTP/0.9 does not exist"},
    {"CRLF between requests, implicit `keep-alive`", false,
     "RFC 9112 2.2: at least one empty line; we skip one, not two"},
    {"Upgrade POST request", false, "RFC 9110 7.8: we do not upgrade, so what follows the body must be a request"},
    // It lists methods; RFC 9110 9.1: "additional methods ... have been specified for use in HTTP", any token is one.
    {"HTTP protocol and ANNOUNCE method", true, "RFC 9110 9.1: method = token"},
    {"Invalid method", true, "RFC 9110 9.1: method = token"},
    // It leaves these to its user.
    {"CONNECT request", false, "RFC 9110 9.3.6: answered 405, a reverse proxy opens no tunnels"},
    {"CONNECT request with CAPS", false, "RFC 9110 9.3.6: answered 405"},
    {"CONNECT with body", false, "RFC 9110 9.3.6: answered 405"},
    {"Underscore in hostname", false, "RFC 9110 9.3.6: a CONNECT, answered 405"},
    {"M-SEARCH request", false, "RFC 9112 3.2.4: asterisk-form is only used for a server-wide OPTIONS request"},
    {"PRI request HTTP2", false, "RFC 9112 3.2.4: asterisk-form is only used for a server-wide OPTIONS request"},
    {"Fragment in URI", false, "RFC 9112 3.2: request-target has no fragment"},
    {"`host:port` and basic auth", false, "RFC 9110 4.2.4: userinfo in an http URI is treated as an error"},
    {"POST with `chunked` as last transfer-encoding", false, "RFC 9112 6.1: 501 to a coding not understood"},
    {"POST with `chunked` as last transfer-encoding (multiple headers)", false, "RFC 9112 6.1: the same, in two lines"},
    // Answers: what a client may put up with, a proxy must not pass on.
    {"Response starting with CRLF", false,
     "RFC 9112 2.2: only a server may skip empty lines; left-over bytes are suspect"},
    {"HTTP 304 with Content-Length", false, "RFC 9112 2.2: its second answer starts with an empty line"},
    {"HTTP 100 first, then 400", false, "RFC 9112 2.2: its second answer starts with an empty line"},
    {"Should parse multiple events", false, "RFC 9112 2.2: its second answer starts with an empty line"},
    {"HTTP 101 response with Upgrade and Content-Length header", false, "RFC 9110 15.2.2: nobody asked for h2c"},
    {"HTTP 101 response with Upgrade and Transfer-Encoding header", false, "RFC 9110 15.2.2: nobody asked for h2c"},
    {"`chunked` before other transfer-encoding", false, "RFC 9112 6.1: chunked is not applied last"},
    {"multiple transfer-encoding where chunked is not the last one", false,
     "RFC 9112 6.1: chunked is not applied last"},
    {"`chunkedchunked` transfer-encoding does not enable chunked enconding", false, "RFC 9112 6.1: an unknown coding"},
};

/// The request with a Host behind its request line: most vectors have none, and are not about that.
std::string with_host(std::string_view bytes, std::string_view host = "a") {
  const std::size_t line = bytes.find("\r\n", bytes.starts_with("\r\n") ? 2 : 0) + 2;
  return std::string(bytes.substr(0, line)).append("Host: ").append(host).append("\r\n").append(bytes.substr(line));
}

/// Takes the body off `bytes`; false when it is malformed, none of it left when it is incomplete.
bool skip_body(std::string& bytes, Framing framing, std::uint64_t length) {
  switch (framing) {
    case Framing::none: return true;
    case Framing::until_close: bytes.clear(); return true;
    case Framing::length: bytes.erase(0, length); return true;
    case Framing::chunked: {
      ChunkedDecoder decoder;
      const ChunkedDecoder::Step step = decoder.decode(bytes);
      bytes.erase(0, step.consumed);
      return step.status != ChunkedDecoder::Status::malformed;
    }
  }
  return false;
}

/// Empty, or why the connection would be ended. Bytes after a message that ends the connection are not looked at.
std::string replay_requests(std::string bytes) {
  while (!bytes.empty() && bytes != "\r\n") {
    RequestHead head;
    ParseOutcome outcome = parse_request_head(bytes, Limits{}, head);
    if (outcome.reason == "RFC 9112 3.2: no Host") {
      bytes = with_host(bytes, head.authority.empty() ? "a" : std::string(head.authority));
      outcome = parse_request_head(bytes, Limits{}, head);
    }
    if (outcome.status == ParseStatus::malformed) return std::string(outcome.reason);
    if (outcome.status == ParseStatus::incomplete) return {};
    const bool last = !head.keep_alive || head.websocket;
    const Framing framing = head.framing;
    const std::uint64_t length = head.content_length;
    bytes.erase(0, outcome.head_bytes);
    if (!skip_body(bytes, framing, length)) return "malformed body";
    if (last) return {};
  }
  return {};
}

std::string replay_responses(std::string bytes, Method method) {
  while (!bytes.empty()) {
    ResponseHead head;
    const ParseOutcome outcome = parse_response_head(bytes, Limits{}, method, head);
    if (outcome.status == ParseStatus::malformed) return std::string(outcome.reason);
    if (outcome.status == ParseStatus::incomplete) return {};
    bytes.erase(0, outcome.head_bytes);
    if (!skip_body(bytes, head.framing, head.content_length)) return "malformed body";
    if (!head.keep_alive) return {};
  }
  return {};
}

/// The vectors hold bytes as the code points U+0000 to U+00FF.
std::string bytes_of(const std::string& utf8) {
  std::string bytes;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto c = static_cast<unsigned char>(utf8[i]);
    if (c < 0x80) {
      bytes.push_back(utf8[i]);
    } else {
      bytes.push_back(static_cast<char>((c & 0x03) << 6 | (utf8[++i] & 0x3f)));
    }
  }
  return bytes;
}

/// What llhttp reports is a fault of the bytes, and not that they switch protocols (22, 23) or that it stopped where a
/// connection ends (5), as we do.
bool is_refusal(const nlohmann::json& error) {
  if (error.is_null()) return false;
  const std::string code = error.at(0);
  return code != "22" && code != "23" && code != "5";
}

TEST(Llhttp, rfc9112_its_malformed_messages_are_refused_and_its_good_ones_are_forwarded) {
  const char* const directory = std::getenv("HOLDFAST_VECTORS");
  if (directory == nullptr) GTEST_SKIP() << "HOLDFAST_VECTORS is not set";
  std::ifstream file(std::string(directory) + "/llhttp.json");
  if (!file) GTEST_SKIP() << "no llhttp.json in HOLDFAST_VECTORS";

  std::set<std::string_view> used;
  int replayed = 0;
  for (const nlohmann::json& vector : nlohmann::json::parse(file)) {
    if (vector["kind"] != "http" || vector["strict"] != true) continue;
    const std::string input = bytes_of(vector["input"]);
    const std::string name = vector["name"];
    const bool request = vector["meta"]["type"] == "request";
    const Method method = vector["meta"].contains("skipBody") ? Method::head : Method::get;
    const std::string refusal = request ? replay_requests(input) : replay_responses(input, method);
    const bool we_accept = refusal.empty();
    ++replayed;
    if (we_accept != is_refusal(vector["error"])) continue;
    const auto* difference =
        std::find_if(std::begin(kDifferences), std::end(kDifferences),
                     [&](const Difference& known) { return known.name == name && known.we_accept == we_accept; });
    EXPECT_NE(difference, std::end(kDifferences))
        << vector["file"] << ' ' << name << "\nllhttp: " << vector["error"] << "\nours: " << refusal << '\n'
        << input;
    if (difference != std::end(kDifferences)) used.insert(difference->name);
  }
  EXPECT_GT(replayed, 150);
  for (const Difference& difference : kDifferences) EXPECT_TRUE(used.contains(difference.name)) << difference.name;
}

TEST(DesyncGuardian, rfc9112_severe_requests_are_refused) {
  const char* const directory = std::getenv("HOLDFAST_VECTORS");
  if (directory == nullptr) GTEST_SKIP() << "HOLDFAST_VECTORS is not set";
  std::ifstream file(std::string(directory) + "/desync_guardian.json");
  if (!file) GTEST_SKIP() << "no desync_guardian.json in HOLDFAST_VECTORS";
  for (const nlohmann::json& vector : nlohmann::json::parse(file)) {
    if (vector["tier"] != "Severe") continue;
    const std::string input = bytes_of(vector["payload"]);
    EXPECT_NE(judge_request(input.find("ost:") == input.npos ? with_host(input) : input), 200) << vector["name"];
  }
}

}  // namespace
}  // namespace holdfast::http

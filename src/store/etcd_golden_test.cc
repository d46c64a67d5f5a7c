// The codec against what a real etcd answered: testdata/etcd/*.txt, one exchange each, readable. With
// HOLDFAST_REWRITE=1 a real etcd is asked again and the files are written anew.
//
// A file holds the request as we write it, the status and the body that came, and what we make of it.
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

#include "store/etcd_codec.h"
#include "store/etcd_for_tests.h"

namespace holdfast::store::etcd {
namespace {

std::string to_text(const Record& record) {
  return record.key + " = \"" + record.value + "\", created " + std::to_string(record.created) + ", modified " +
         std::to_string(record.modified) + (record.lease == 0 ? "" : ", leased") + "\n";
}

template <class T>
std::string error_text(const Result<T>& result) {
  return std::string(to_string(result.error().code)) + ": " + result.error().what + "\n";
}

std::string range_text(std::string_view body) {
  const Result<RangeAnswer> answer = read_range(body);
  if (!answer) return error_text(answer);
  std::string text = "at " + std::to_string(answer->header.revision) + ", " + std::to_string(answer->count) + " keys\n";
  for (const Record& record : answer->records) text += to_text(record);
  return text;
}

std::string transaction_text(std::string_view body) {
  const Result<TransactionAnswer> answer = read_transaction(body);
  if (!answer) return error_text(answer);
  std::string text = (answer->succeeded ? "done at " : "refused at ") + std::to_string(answer->header.revision) + "\n";
  for (const Record& record : answer->found) text += to_text(record);
  return text;
}

std::string lease_text(const Result<LeaseAnswer>& answer) {
  return answer ? (answer->ttl_s == 0 ? "gone\n" : std::to_string(answer->ttl_s) + " s\n") : error_text(answer);
}

std::string watch_text(std::string_view body) {
  std::string text;
  for (std::size_t at = 0; at < body.size();) {
    const std::size_t end = std::min(body.find('\n', at), body.size());
    const Result<WatchAnswer> answer = read_watch(body.substr(at, end - at));
    at = end + 1;
    if (!answer) {
      text += error_text(answer);
      continue;
    }
    text += "at " + std::to_string(answer->header.revision) + (answer->created ? ", created" : "") +
            (answer->canceled ? ", canceled" : "") +
            (answer->compacted != 0 ? ", compacted " + std::to_string(answer->compacted) : "") + "\n";
    for (const Event& event : answer->events) {
      text += (event.kind == Event::Kind::put ? "put " : "erased ") + to_text(event.record);
    }
  }
  return text;
}

std::string done_text(std::string_view body) {
  const Result<Header> answer = read_header(body);
  return answer ? "done\n" : error_text(answer);
}

std::string status_text(std::string_view body) {
  const Result<StatusAnswer> answer = read_status(body);
  if (!answer) return error_text(answer);
  return "etcd " + answer->version + (answer->leader != 0 ? ", led" : ", not led") + "\n";
}

std::string members_text(std::string_view body) {
  const Result<std::vector<MemberAnswer>> answer = read_members(body);
  if (!answer) return "not members\n";
  std::string text;
  for (const MemberAnswer& member : *answer) text += member.name + (member.learner ? ", learns\n" : "\n");
  return text;
}

struct Exchange {
  const char* name;
  const char* path;
  std::string request;
  std::string (*meaning)(std::string_view body);
};

// In this order they make one story, on an empty store whose next revision is 2.
std::vector<Exchange> story() {
  const Transaction first{{Compare::absent("a")},
                          {Write::put("a", "1"), Write::put("b/1", ""), Write::put("b/2", "x")}};
  const Transaction again{{Compare::absent("a"), Compare::value_is("a", "2"), Compare::exists("none")},
                          {Write::put("a", "2")}};
  const Transaction fenced{{Compare::created("a", 2), Compare::modified("a", 2), Compare::exists("b/1")},
                           {Write::put("a", "3"), Write::erase("b/1")}};
  const Transaction never{{Compare::created("none", 0), Compare::modified("none", 0)}, {Write::put("n", "")}};
  const Transaction question{{Compare::value_is("a", "3")}, {}};
  const Transaction sweep{{}, {Write::erase_prefix("b/")}};
  const Transaction late{{}, {Write::put("late", "", 7000)}};
  const auto keep = [](std::string_view line) { return lease_text(read_keep_alive(line)); };
  const auto grant = [](std::string_view body) { return lease_text(read_lease(body)); };
  return {
      {"transaction_done", "/v3/kv/txn", transaction_request(first, "/p/"), transaction_text},
      {"transaction_refused", "/v3/kv/txn", transaction_request(again, "/p/"), transaction_text},
      {"transaction_fenced", "/v3/kv/txn", transaction_request(fenced, "/p/"), transaction_text},
      {"transaction_never", "/v3/kv/txn", transaction_request(never, "/p/"), transaction_text},
      {"transaction_question", "/v3/kv/txn", transaction_request(question, "/p/"), transaction_text},
      {"transaction_no_lease", "/v3/kv/txn", transaction_request(late, "/p/"), transaction_text},
      {"range", "/v3/kv/range", range_request("/p/", 0), range_text},
      {"range_at", "/v3/kv/range", range_request("/p/", 2), range_text},
      {"range_future", "/v3/kv/range", range_request("/p/", 99), range_text},
      {"range_newest", "/v3/kv/range", newest_request("/p/"), range_text},
      {"range_count", "/v3/kv/range", count_request("/p/", 2), range_text},
      {"erase_prefix", "/v3/kv/txn", transaction_request(sweep, "/p/"), transaction_text},
      {"range_empty", "/v3/kv/range", range_request("/p/b/", 0), range_text},
      {"lease_grant", "/v3/lease/grant", grant_request(5), grant},
      {"lease_grant_too_long", "/v3/lease/grant", grant_request(10'000'000'000), grant},
      {"lease_gone", "/v3/lease/keepalive", keep_alive_request(7000), keep},
      {"lease_revoke_gone", "/v3/lease/revoke", revoke_request(7000), done_text},
      {"watch", "/v3/watch", watch_request("/p/", 2), watch_text},
      {"compact", "/v3/kv/compaction", compact_request(3), done_text},
      {"compact_again", "/v3/kv/compaction", compact_request(3), done_text},
      {"range_compacted", "/v3/kv/range", range_request("/p/", 2), range_text},
      {"watch_compacted", "/v3/watch", watch_request("/p/", 1), watch_text},
      {"status", "/v3/maintenance/status", "{}", status_text},
      {"members", "/v3/cluster/member/list", "{}", members_text},
      {"authenticate_off", "/v3/auth/authenticate", authenticate_request("root", "secret"), done_text},
      {"not_json", "/v3/kv/range", "garbage", range_text},
      {"no_such_path", "/v3/nothing", "{}", done_text},
  };
}

std::string meaning_of(const Exchange& exchange, std::uint16_t status, std::string_view body) {
  if (status == 200) return exchange.meaning(body);
  const Refusal refusal = read_error(status, body);
  return std::string(to_string(refusal.error.code)) + (refusal.surely_not_done ? ", surely not done" : "") +
         (refusal.try_another ? ", try another" : "") + ": " + refusal.error.what + "\n";
}

std::string file_of(const Exchange& exchange) {
  return std::string(HOLDFAST_STORE_TESTDATA) + "/etcd/" + exchange.name + ".txt";
}

std::string file_text(const Exchange& exchange, std::uint16_t status, const std::string& body) {
  return std::string("POST ") + exchange.path + "\n" + exchange.request + "\n\n" + std::to_string(status) + "\n" +
         body + "\n\n" + meaning_of(exchange, status, body);
}

/// Of an answer with its head: without chunk sizes and trailers.
std::string body_of(const std::string& answer) {
  const std::size_t end = answer.find("\r\n\r\n");
  std::string rest = answer.substr(end + 4);
  if (answer.substr(0, end).find("chunked") == std::string::npos) return rest;
  std::string body;
  while (!rest.empty()) {
    const std::size_t line = rest.find("\r\n");
    const std::size_t size = std::strtoul(rest.c_str(), nullptr, 16);
    if (line == std::string::npos || size == 0) break;
    body += rest.substr(line + 2, size);
    rest.erase(0, std::min(rest.size(), line + 2 + size + 2));
  }
  return body;
}

std::string trimmed(std::string body) {
  while (body.ends_with('\n')) body.pop_back();
  return body;
}

TEST(EtcdGolden, capture_them_again_when_told_to) {
  if (std::getenv("HOLDFAST_REWRITE") == nullptr) GTEST_SKIP() << "HOLDFAST_REWRITE=1 asks a real etcd again";
  ASSERT_TRUE(EtcdForTests::installed());
  EtcdForTests etcd;
  ASSERT_TRUE(etcd.wait_until_healthy());
  for (const Exchange& exchange : story()) {
    const std::string answer = etcd.post(0, exchange.path, exchange.request);
    ASSERT_TRUE(answer.starts_with("HTTP/1.1 ")) << exchange.name;
    const auto status = static_cast<std::uint16_t>(std::stoi(answer.substr(9, 3)));
    std::ofstream(file_of(exchange)) << file_text(exchange, status, trimmed(body_of(answer)));
  }
}

TEST(EtcdGolden, requests_and_meanings_are_those_of_the_captured_exchanges) {
  for (const Exchange& exchange : story()) {
    std::ifstream file(file_of(exchange));
    std::stringstream text;
    text << file.rdbuf();
    const std::string golden = text.str();
    const std::size_t answer = golden.find("\n\n");
    ASSERT_NE(answer, std::string::npos) << exchange.name;
    const auto status = static_cast<std::uint16_t>(std::stoi(golden.substr(answer + 2, 3)));
    const std::size_t body = golden.find('\n', answer + 2) + 1;
    const std::size_t end = golden.find("\n\n", body);
    ASSERT_NE(end, std::string::npos) << exchange.name;
    EXPECT_EQ(file_text(exchange, status, golden.substr(body, end - body)), golden) << exchange.name;
  }
}

// What Debian's etcd does not say, but others do.
TEST(EtcdGolden, reads_both_shapes_of_errors) {
  const Refusal second = read_error(503, R"({"code":14,"message":"etcdserver: no leader","details":[]})");
  EXPECT_EQ(second.error.code, Code::refused);
  EXPECT_TRUE(second.surely_not_done);
  EXPECT_TRUE(second.try_another);
  const Result<WatchAnswer> stream = read_watch(R"({"error":{"code":14,"message":"etcdserver: no leader"}})");
  EXPECT_EQ(stream.error().code, Code::refused);
  const Refusal timed_out = read_error(503, R"({"error":"etcdserver: request timed out","code":14})");
  EXPECT_EQ(timed_out.error.code, Code::timed_out);
  EXPECT_FALSE(timed_out.surely_not_done);
  const Refusal full = read_error(429, R"({"error":"etcdserver: mvcc: database space exceeded","code":8})");
  EXPECT_EQ(full.error.code, Code::overloaded);
  EXPECT_TRUE(full.surely_not_done);
  EXPECT_FALSE(full.try_another);
  EXPECT_TRUE(read_error(401, R"({"error":"etcdserver: invalid auth token","code":16})").token_refused);
  EXPECT_FALSE(read_error(502, "<html>Bad Gateway</html>").surely_not_done);
  EXPECT_FALSE(read_error(500, "").surely_not_done);
}

TEST(EtcdGolden, refuses_what_is_no_answer) {
  for (const char* text : {"", "null", "[]", "{", "{}", R"({"header":5})", R"({"header":{},"kvs":[{}]})",
                           R"({"header":{},"kvs":[{"key":"?","mod_revision":"1"}]})", R"({"header":{},"kvs":7})"}) {
    EXPECT_EQ(read_range(text).error().code, Code::protocol) << text;
    EXPECT_FALSE(read_transaction(text).has_value()) << text;
    EXPECT_FALSE(read_lease(text).has_value()) << text;
    EXPECT_FALSE(read_keep_alive(text).has_value()) << text;
    EXPECT_FALSE(read_watch(text).has_value()) << text;
    EXPECT_FALSE(read_token(text).has_value()) << text;
    EXPECT_FALSE(read_members(text).has_value()) << text;
  }
}

TEST(EtcdGolden, ends_a_range_behind_all_keys_with_the_prefix) {
  EXPECT_EQ(range_end("a/"), "a0");
  EXPECT_EQ(range_end("a\xff\xff"), "b");
  EXPECT_EQ(range_end(""), std::string(1, '\0'));
  EXPECT_EQ(range_end("\xff"), std::string(1, '\0'));
}

}  // namespace
}  // namespace holdfast::store::etcd

#include "upstream/endpoint_record.h"

#include <gtest/gtest.h>

namespace holdfast::upstream {
namespace {

using Records = std::map<std::string, store::Record, std::less<>>;

Records of(std::map<std::string, std::string> values) {
  Records records;
  for (auto& [key, value] : values) records.emplace(key, store::Record{key, value, 1, 1, 0});
  return records;
}

std::string why_not(std::string_view value) {
  const Result<EndpointRecord> record = parse_endpoint_record(value);
  return record ? "" : record.error().what;
}

TEST(EndpointRecord, needs_an_address_and_nothing_else) {
  const Result<EndpointRecord> plain = parse_endpoint_record(R"({"address":"10.0.0.1:80"})");
  ASSERT_TRUE(plain);
  EXPECT_EQ(to_string(plain->endpoint.address), "10.0.0.1:80");
  EXPECT_EQ(plain->endpoint.weight, 1U);
  EXPECT_FALSE(plain->draining);
  const Result<EndpointRecord> whole = parse_endpoint_record(
      R"({"address":"[::1]:80","weight":3,"zone":"z2","backup":true,"state":"draining","later":[1]})");
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->endpoint.weight, 3U);
  EXPECT_EQ(whole->endpoint.zone, "z2");
  EXPECT_TRUE(whole->endpoint.backup);
  EXPECT_TRUE(whole->draining);
}

TEST(EndpointRecord, says_what_is_wrong) {
  EXPECT_EQ(why_not("10.0.0.1:80"), "it is no JSON object");
  EXPECT_EQ(why_not("[]"), "it is no JSON object");
  EXPECT_EQ(why_not("{}"), "it has no \"address\": \"10.0.0.1:80\"");
  EXPECT_EQ(why_not(R"({"address":"db.example:80"})"), "its address is a name; register IP addresses");
  EXPECT_EQ(why_not(R"({"address":"10.0.0.1:0"})"), "its port is 0");
  EXPECT_EQ(why_not(R"({"address":"10.0.0.1:80","weight":0})"), "its weight is not a number from 1 to 1000");
  EXPECT_EQ(why_not(R"({"address":"10.0.0.1:80","weight":1000})"), "");
  EXPECT_EQ(why_not(R"({"address":"10.0.0.1:80","weight":1001})"), "its weight is not a number from 1 to 1000");
  EXPECT_EQ(why_not(R"({"address":"10.0.0.1:80","state":"gone"})"), "its state is neither ready nor draining");
}

TEST(EndpointRecord, its_key_names_the_service) {
  EXPECT_EQ(service_of("endpoint/feed/a"), "feed");
  EXPECT_EQ(service_of("endpoint/feed/a/b"), "feed");
  EXPECT_EQ(service_of("endpoint/feed/"), "");
  EXPECT_EQ(service_of("endpoint/feed"), "");
  EXPECT_EQ(service_of("node/feed/a"), "");
}

TEST(FindEndpoints, leaves_out_who_drains_who_is_there_already_and_what_is_wrong) {
  std::map<std::string, std::string> wrong;
  const config::FoundEndpoints found =
      find_endpoints(of({
                         {"endpoint/feed/a", R"({"address":"10.0.0.2:80"})"},
                         {"endpoint/feed/b", R"({"address":"10.0.0.1:80"})"},
                         {"endpoint/feed/c", R"({"address":"10.0.0.2:80"})"},
                         {"endpoint/feed/d", R"({"address":"10.0.0.3:80","state":"draining"})"},
                         {"endpoint/feed/e", "nonsense"},
                         {"endpoint/post/a", R"({"address":"10.0.0.2:80"})"},
                     }),
                     wrong);
  ASSERT_EQ(found.size(), 2U);
  ASSERT_EQ(found.at("feed").size(), 2U);
  EXPECT_EQ(to_string(found.at("feed")[0].address), "10.0.0.2:80") << "in the order of their keys";
  EXPECT_EQ(found.at("post").size(), 1U);
  ASSERT_EQ(wrong.size(), 1U);
  EXPECT_EQ(wrong.begin()->first, "endpoint/feed/e");
}

}  // namespace
}  // namespace holdfast::upstream

#include "balance/affinity.h"

#include <gtest/gtest.h>

#include "balance/fleet_for_tests.h"

namespace holdfast::balance {
namespace {

TEST(Affinity, finds_a_cookie_by_its_whole_name_and_takes_the_first) {
  EXPECT_EQ(cookie_value("a=1; sid=x=y; sid=2", "sid"), "x=y");
  EXPECT_EQ(cookie_value("xsid=1;sid=2", "sid"), "2");
  EXPECT_EQ(cookie_value("sid=\"quoted\"", "sid"), "quoted");
  EXPECT_EQ(cookie_value("sid=", "sid"), "");
  for (const char* without : {"", "sid", "SID=1", "a=sid=1", ";;;"}) {
    EXPECT_FALSE(cookie_value(without, "sid")) << without;
  }
}

TEST(Affinity, finds_a_query_parameter_and_the_path_before_it) {
  EXPECT_EQ(query_value("/p?a=1&user=7&user=8", "user"), "7");
  EXPECT_EQ(query_value("/p?user=7#user=8", "user"), "7");
  for (const char* without : {"/p", "/p?", "/p?xuser=1", "/user=1", "/p#?user=1"}) {
    EXPECT_FALSE(query_value(without, "user")) << without;
  }
  EXPECT_EQ(path_of("/p/q?a=/b"), "/p/q");
  EXPECT_EQ(path_of("/p"), "/p");
}

TEST(Affinity, a_token_finds_its_member_after_a_reload_and_nobody_when_it_left) {
  Fleet fleet(50);
  for (std::uint32_t i = 0; i < 50; ++i) {
    const Token token = make_token(fleet.members[i].identity, 42);
    EXPECT_EQ(find_token(fleet.members, token.view(), 42), i);
    EXPECT_FALSE(find_token(fleet.members, token.view(), 43)) << "another key";
    EXPECT_EQ(find_token(std::span(fleet.members).subspan(10), token.view(), 42).has_value(), i >= 10);
  }
}

TEST(Affinity, a_malformed_token_finds_nobody) {
  Fleet fleet(3);
  const Token token = make_token(fleet.members[0].identity, 42);
  for (const std::string& wrong : {std::string(), std::string(token.view().substr(1)), std::string(token.view()) + "0",
                                   std::string(16, 'g'), std::string(16, '/'), std::string(16, ':')}) {
    EXPECT_FALSE(find_token(fleet.members, wrong, 42)) << wrong;
  }
}

}  // namespace
}  // namespace holdfast::balance

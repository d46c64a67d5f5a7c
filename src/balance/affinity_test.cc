#include "balance/affinity.h"

#include <gtest/gtest.h>

#include "balance/fleet_for_tests.h"

namespace holdfast::balance {
namespace {

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

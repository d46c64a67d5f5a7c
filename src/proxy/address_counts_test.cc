#include "proxy/address_counts.h"

#include <gtest/gtest.h>

namespace holdfast::proxy {
namespace {

constexpr std::uint64_t kSeed = 1;

AddressCounts::Key key(std::string_view host, std::string_view listener = "web", std::uint16_t port = 4000) {
  return AddressCounts(kSeed).key_of(*io::SocketAddress::from_ip(host, port), listener);
}

TEST(AddressCounts, refuses_the_one_beyond_and_takes_it_when_another_has_left) {
  AddressCounts counts(kSeed);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(counts.enter(key("192.0.2.1"), 3)) << i;
  EXPECT_FALSE(counts.enter(key("192.0.2.1"), 3));
  EXPECT_TRUE(counts.enter(key("192.0.2.2"), 3));
  counts.leave(key("192.0.2.1"));
  EXPECT_TRUE(counts.enter(key("192.0.2.1"), 3));
  EXPECT_FALSE(counts.enter(key("192.0.2.1"), 3));
}

TEST(AddressCounts, forgets_an_address_with_its_last_connection) {
  AddressCounts counts(kSeed);
  for (int host = 0; host < 200; ++host) {
    EXPECT_TRUE(counts.enter(key("192.0.2." + std::to_string(host)), 2));
    EXPECT_TRUE(counts.enter(key("192.0.2." + std::to_string(host)), 2));
  }
  EXPECT_EQ(counts.size(), 200U);
  for (int host = 0; host < 200; ++host) counts.leave(key("192.0.2." + std::to_string(host)));
  EXPECT_EQ(counts.size(), 200U);
  for (int host = 0; host < 200; ++host) counts.leave(key("192.0.2." + std::to_string(host)));
  EXPECT_EQ(counts.size(), 0U);
}

TEST(AddressCounts, a_network_of_64_bits_is_one_client_and_the_next_one_another) {
  EXPECT_EQ(key("2001:db8:0:1::1"), key("2001:db8:0:1:ffff:ffff:ffff:ffff"));
  EXPECT_NE(key("2001:db8:0:1::1"), key("2001:db8:0:2::1"));
  EXPECT_NE(key("192.0.2.1"), key("192.0.2.2"));
}

TEST(AddressCounts, the_port_does_not_matter_but_the_listener_does) {
  EXPECT_EQ(key("192.0.2.1"), key("192.0.2.1", "web", 5));
  EXPECT_NE(key("192.0.2.1"), key("192.0.2.1", "api"));
}

TEST(AddressCounts, an_ipv4_address_is_not_taken_for_the_ipv6_network_of_the_same_bytes) {
  EXPECT_NE(key("32.1.13.184"), key("2001:db8::1"));
}

}  // namespace
}  // namespace holdfast::proxy

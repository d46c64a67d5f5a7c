#include "config/address.h"

#include <gtest/gtest.h>

namespace holdfast::config {
namespace {

TEST(Address, reads_back_what_it_writes) {
  for (const char* text : {"0.0.0.0:80", "10.0.0.1:65535", "127.0.0.1:0", "[::]:443", "[::1]:80", "[fe80::1]:80",
                           "db.example:5432", "localhost:1", "name_of.a-host:80", "unix:/run/x.sock", "unix:/a:b"}) {
    const auto address = Address::parse(text);
    ASSERT_TRUE(address) << text << ": " << address.error();
    EXPECT_EQ(to_string(*address), text);
  }
}

TEST(Address, has_one_form_for_one_meaning) {
  EXPECT_EQ(Address::parse("[0:0:0::0001]:80"), Address::parse("[::1]:80"));
  EXPECT_EQ(Address::parse("DB.Example:80"), Address::parse("db.example:80"));
}

TEST(Address, refuses_what_would_be_guessed) {
  for (const char* text : {"",
                           ":",
                           ":80",
                           "*:80",
                           "10.0.0.1",
                           "10.0.0.1:",
                           "10.0.0.1:65536",
                           "10.0.0.1:-1",
                           "10.0.0.1:080",
                           "10.0.0.256:80",
                           "10.0.0:80",
                           "1:80",
                           "::1:80",
                           "[::1]",
                           "[::1]80",
                           "[::g]:80",
                           "[10.0.0.1]:80",
                           "-a:80",
                           "a..b:80",
                           "a b:80",
                           "http://10.0.0.1:80",
                           "unix:",
                           "unix:x",
                           "/run/x.sock"}) {
    EXPECT_FALSE(Address::parse(text)) << text;
  }
  EXPECT_FALSE(Address::parse(std::string_view("10.0.0.1\0x:80", 13)));
}

TEST(Address, a_socket_path_fits_the_kernels_107_bytes) {
  EXPECT_TRUE(Address::parse("unix:/" + std::string(106, 'x')));
  EXPECT_FALSE(Address::parse("unix:/" + std::string(107, 'x')));
}

TEST(Address, a_host_name_has_at_most_253_bytes_in_labels_of_63) {
  const std::string label(63, 'a');
  EXPECT_TRUE(Address::parse(label + ":80"));
  EXPECT_FALSE(Address::parse(label + "a:80"));
  EXPECT_TRUE(Address::parse(label + '.' + label + '.' + label + '.' + std::string(61, 'a') + ":80"));
  EXPECT_FALSE(Address::parse(label + '.' + label + '.' + label + '.' + std::string(62, 'a') + ":80"));
}

TEST(Network, contains_what_shares_its_prefix) {
  const Network ten = *Network::parse("10.0.0.0/8");
  EXPECT_TRUE(ten.contains(Network::mapped({10, 255, 0, 1})));
  EXPECT_FALSE(ten.contains(Network::mapped({11, 0, 0, 1})));
  const Network odd = *Network::parse("192.168.128.0/17");
  EXPECT_TRUE(odd.contains(Network::mapped({192, 168, 128, 0})));
  EXPECT_TRUE(odd.contains(Network::mapped({192, 168, 255, 255})));
  EXPECT_FALSE(odd.contains(Network::mapped({192, 168, 127, 255})));
  EXPECT_TRUE(Network::parse("0.0.0.0/0")->contains(Network::mapped({1, 2, 3, 4})));
  const Network one = *Network::parse("::1");
  EXPECT_TRUE(one.contains({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}));
  EXPECT_FALSE(one.contains({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}));
  EXPECT_FALSE(Network::parse("fd00::/8")->contains(Network::mapped({10, 0, 0, 1})));
}

TEST(Network, reads_back_what_it_writes) {
  for (const char* text : {"10.0.0.0/8", "0.0.0.0/0", "192.0.2.7/32", "::/0", "fd00::/8", "::1/128"}) {
    EXPECT_EQ(to_string(*Network::parse(text)), text);
  }
}

TEST(Network, refuses_bits_behind_its_prefix_and_prefixes_too_long) {
  for (const char* text :
       {"", "10.0.0.1/8", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/+8", "host/8", "10.0.0/8", "[::1]"}) {
    EXPECT_FALSE(Network::parse(text)) << text;
  }
}

}  // namespace
}  // namespace holdfast::config

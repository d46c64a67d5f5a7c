#include "store/etcd_for_tests.h"

#include <gtest/gtest.h>

namespace holdfast::store {
namespace {

TEST(EtcdForTests, starts_one_member_and_starts_it_again_with_its_data) {
  if (!EtcdForTests::installed()) GTEST_SKIP() << EtcdForTests::kNotInstalled;
  EtcdForTests etcd;
  ASSERT_TRUE(etcd.wait_until_healthy());
  EXPECT_EQ(etcd.leader(), 0U);
  etcd.post(0, "/v3/kv/put", R"({"key":"YQ==","value":"MQ=="})");
  etcd.kill(0);
  EXPECT_EQ(etcd.get(0, "/health"), "");
  etcd.restart(0);
  ASSERT_TRUE(etcd.wait_until_healthy());
  EXPECT_NE(etcd.post(0, "/v3/kv/range", R"({"key":"YQ=="})").find("\"value\":\"MQ==\""), std::string::npos);
}

}  // namespace
}  // namespace holdfast::store

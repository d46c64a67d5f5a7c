#include "io/file_limit.h"

#include <gtest/gtest.h>

namespace holdfast::io {
namespace {

TEST(FileLimit, keeps_a_quarter_of_few_files_and_no_more_than_some_of_many) {
  EXPECT_EQ(files_for_clients(1024), 768U);
  EXPECT_EQ(files_for_clients(16384), 12288U);
  EXPECT_EQ(files_for_clients(16388), 12292U);
  EXPECT_EQ(files_for_clients(1'000'000), 995'904U);
}

TEST(FileLimit, keeps_some_from_endpoints_too) {
  EXPECT_EQ(files_for_endpoints(1024), 896U);
  EXPECT_EQ(files_for_endpoints(2048), 1792U);
  EXPECT_EQ(files_for_endpoints(2056), 1800U);
  EXPECT_EQ(files_for_endpoints(1'000'000), 999'744U);
}

TEST(FileLimit, is_raised_as_far_as_the_system_lets_us) {
  const unsigned limit = raise_file_limit();
  EXPECT_GE(limit, 16U);
  EXPECT_EQ(raise_file_limit(), limit);
}

}  // namespace
}  // namespace holdfast::io

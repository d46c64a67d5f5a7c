#include "io/machine_memory.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <limits>
#include <unistd.h>

namespace holdfast::io {
namespace {

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

class Groups : public ::testing::Test {
 protected:
  Groups() : root_(::testing::TempDir() + "groups-" + std::to_string(::getpid())) {}
  ~Groups() override { std::filesystem::remove_all(root_); }

  void set(const std::string& group, const std::string& file, const std::string& text) {
    std::filesystem::create_directories(root_ + group);
    std::ofstream(root_ + group + '/' + file) << text << '\n';
  }
  const std::string root_;
};

TEST_F(Groups, without_a_limit_there_is_none) {
  EXPECT_EQ(cgroup_memory(root_, "0::/\n"), kNone);
  EXPECT_EQ(cgroup_memory(root_, ""), kNone);
  EXPECT_EQ(cgroup_memory(root_, "nonsense\n"), kNone);
  set("/a", "memory.max", "max");
  EXPECT_EQ(cgroup_memory(root_, "0::/a\n"), kNone);
}

TEST_F(Groups, the_smallest_of_all_groups_around_holds) {
  set("", "memory.max", "9000");
  set("/a", "memory.max", "5000");
  set("/a/b", "memory.max", "max");
  EXPECT_EQ(cgroup_memory(root_, "0::/a/b\n"), 5000U);
  EXPECT_EQ(cgroup_memory(root_, "0::/elsewhere\n"), 9000U);
}

TEST_F(Groups, version_1_has_a_tree_for_memory) {
  set("/memory/a", "memory.limit_in_bytes", "4096");
  EXPECT_EQ(cgroup_memory(root_, "7:cpu,memory:/a\n1:name=systemd:/b\n0::/\n"), 4096U);
  EXPECT_EQ(cgroup_memory(root_, "7:cpu:/a\n"), kNone);
}

TEST(MachineMemory, is_a_plausible_amount) {
  EXPECT_GE(machine_memory(), std::size_t{1} << 24U);
  EXPECT_LE(machine_memory(), std::size_t{1} << 48U);
}

}  // namespace
}  // namespace holdfast::io

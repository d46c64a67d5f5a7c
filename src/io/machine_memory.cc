#include "io/machine_memory.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>
#include <unistd.h>

namespace holdfast::io {
namespace {

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

/// "max" is no number, and no limit.
std::size_t limit_in(const std::string& path) {
  std::ifstream file(path);
  std::size_t bytes = 0;
  return file >> bytes ? bytes : kNone;
}

/// A group is bound by every group around it. Inside a container the path is often that of the host, and only the root
/// of the tree is there: it is looked at last.
std::size_t smallest(const std::string& tree, std::string group, const std::string& file) {
  std::size_t least = kNone;
  while (true) {
    const std::string place = tree + group;
    least = std::min(least, limit_in(place + '/' + file));
    const std::size_t parent = group.rfind('/');
    if (parent == std::string::npos) return least;
    group.resize(parent);
  }
}

}  // namespace

std::size_t cgroup_memory(const std::string& root, const std::string& membership) {
  std::size_t least = kNone;
  std::istringstream lines(membership);
  for (std::string line; std::getline(lines, line);) {  // hierarchy:controllers:path
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = ',' + line.substr(first + 1, second - first - 1) + ',';
    const std::string group = line.substr(second + 1);
    if (controllers == ",,") least = std::min(least, smallest(root, group, "memory.max"));
    if (controllers.find(",memory,") != std::string::npos) {
      least = std::min(least, smallest(root + "/memory", group, "memory.limit_in_bytes"));
    }
  }
  return least;
}

std::size_t machine_memory() {
  const auto pages = static_cast<std::size_t>(std::max(::sysconf(_SC_PHYS_PAGES), 1L));
  const auto page_bytes = static_cast<std::size_t>(std::max(::sysconf(_SC_PAGESIZE), 1L));
  std::ifstream self("/proc/self/cgroup");
  std::ostringstream membership;
  if (self) membership << self.rdbuf();
  return std::min(pages * page_bytes, cgroup_memory("/sys/fs/cgroup", membership.str()));
}

}  // namespace holdfast::io

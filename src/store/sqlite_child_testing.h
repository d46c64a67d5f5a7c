// For tests of the SQLite store: another process that uses the same file. It is this test program again, told by its
// environment to play one part (sqlite_child_test.cc), and reports through a pipe.
#pragma once

#include <array>
#include <csignal>
#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <gtest/gtest.h>
#include <optional>
#include <poll.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#include "base/pinned.h"
#include "io/unique_fd.h"

namespace holdfast::store {

struct ChildReport {
  std::uint64_t revision = 0;  ///< 0: a failure, `number` is its code
  std::uint64_t number = 0;
  std::int64_t at_ns = 0;  ///< monotonic
};

// Beside codes, as the number of a failure.
inline constexpr std::uint64_t kUnknownReported = 98;
inline constexpr std::uint64_t kNotAllowedReported = 99;

inline constexpr int kReportsBytes = 512 * 1024;  ///< nobody reads while thousands are made
inline constexpr const char* kChildPart = "HOLDFAST_STORE_CHILD";
inline constexpr const char* kChildFile = "HOLDFAST_STORE_FILE";
inline constexpr const char* kChildReports = "HOLDFAST_STORE_REPORTS";

class Child : Pinned {
 public:
  Child(const std::string& part, const std::filesystem::path& file) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    EXPECT_GE(::fcntl(ends[0], F_SETPIPE_SZ, kReportsBytes), kReportsBytes);
    reports_ = io::UniqueFd(ends[0]);
    const io::UniqueFd writing(ends[1]);
    const io::UniqueFd nowhere(::open("/dev/null", O_RDWR | O_CLOEXEC));
    const int given = 200;
    std::array<std::string, 3> words = {std::string(kChildPart) + "=" + part,
                                        std::string(kChildFile) + "=" + file.string(),
                                        std::string(kChildReports) + "=" + std::to_string(given)};
    std::array<char*, 4> environment = {words[0].data(), words[1].data(), words[2].data(), nullptr};
    std::string name = "store_test";
    std::string filter = "--gtest_filter=SqliteChild.DISABLED_plays_its_part";
    std::string also = "--gtest_also_run_disabled_tests";
    std::array<char*, 4> arguments = {name.data(), filter.data(), also.data(), nullptr};
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(nowhere.get(), STDOUT_FILENO);
      ::dup2(writing.get(), given);
      ::execve("/proc/self/exe", arguments.data(), environment.data());
      ::_exit(127);
    }
    EXPECT_GT(pid_, 0);
  }
  ~Child() { end(); }

  /// None: the child has ended, or said nothing for a long time.
  std::optional<ChildReport> next() {
    constexpr int kPatienceMs = 20'000;
    pollfd readable{.fd = reports_.get(), .events = POLLIN, .revents = 0};
    ChildReport report;
    if (::poll(&readable, 1, kPatienceMs) != 1) return {};
    if (::read(reports_.get(), &report, sizeof report) != sizeof report) return {};
    return report;
  }

  void end() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_ = -1;
  io::UniqueFd reports_;
};

}  // namespace holdfast::store

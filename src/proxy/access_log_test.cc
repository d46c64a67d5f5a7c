#include "proxy/access_log.h"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

#include "io/signals.h"
#include "proxy/access_log_for_tests.h"

namespace holdfast::proxy {
namespace {

// A log into a pipe that blocks, like a standard output that somebody reads, or does not.
struct Piped {
  Piped() {
    std::array<int, 2> fds{};
    EXPECT_EQ(::pipe(fds.data()), 0);
    reader = io::UniqueFd(fds[0]);
    log = std::make_unique<AccessLog>("stdout", io::UniqueFd(fds[1]));
    ring = log->add_ring();
  }
  /// All that comes until the log is closed, or that many lines.
  std::string read(std::ptrdiff_t lines) {
    std::string all;
    std::array<char, 4096> piece{};
    while (std::ranges::count(all, '\n') < lines) {
      const ssize_t got = ::read(reader.get(), piece.data(), piece.size());
      if (got <= 0) break;
      all.append(piece.data(), static_cast<std::size_t>(got));
    }
    return all;
  }
  io::UniqueFd reader;
  std::unique_ptr<AccessLog> log;
  AccessRing* ring = nullptr;
};

TEST(AccessLog, a_reader_that_comes_late_gets_every_line_whole) {
  Piped piped;
  std::string pushed;
  for (int i = 0; i < 3000; ++i) {  // far more than a pipe holds, less than a ring
    AccessRecord record = example();
    record.duration_us = static_cast<std::uint32_t>(i);
    piped.ring->push(record);
    pushed += reference_line(record);
  }
  EXPECT_EQ(piped.ring->dropped.get(), 0U);
  EXPECT_TRUE(piped.read(3000) == pushed);
}

TEST(AccessLog, every_ring_has_its_turn_when_there_is_more_than_is_written_at_once) {
  constexpr int kRecords = 1500;
  Piped piped;
  std::vector<AccessRing*> rings = {piped.ring, piped.log->add_ring(), piped.log->add_ring()};
  std::vector<std::string> pushed(rings.size());
  for (int i = 0; i < kRecords; ++i) {
    for (std::size_t ring = 0; ring < rings.size(); ++ring) {
      const std::string name = "ring " + std::to_string(ring);
      AccessRecord record = example();
      record.listener = name;
      record.duration_us = static_cast<std::uint32_t>(i);
      rings[ring]->push(record);
      pushed[ring] += reference_line(record);
    }
  }
  ASSERT_GT(pushed[0].size() * rings.size(), AccessLines::kBytes * 2);
  std::vector<std::string> written(rings.size());
  std::istringstream lines(piped.read(kRecords * 3));
  for (std::string line; std::getline(lines, line);) {
    for (std::size_t ring = 0; ring < rings.size(); ++ring) {
      if (line.find("\"listener\":\"ring " + std::to_string(ring)) != std::string::npos) written[ring] += line + "\n";
    }
  }
  EXPECT_TRUE(written == pushed);
}

TEST(AccessLog, ends_though_its_reader_is_stuck) {
  Piped piped;
  for (int i = 0; i < 100'000; ++i) piped.ring->push(example());
  EXPECT_GT(piped.ring->dropped.get(), 0U) << "what finds no room is counted";
  const Instant before = io::read_clock();
  piped.log.reset();
  EXPECT_LT(io::read_clock() - before, 10s);
  EXPECT_GE(piped.read(1'000'000).size(), 32'768U) << "as much as the pipe took";
}

TEST(AccessLog, ends_though_nobody_reads) {
  io::ignore_broken_pipes();
  Piped piped;
  piped.reader.reset();
  piped.ring->push(example());
  piped.log.reset();
}

}  // namespace
}  // namespace holdfast::proxy

#include "proxy/access_log.h"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>
#include <unistd.h>

#include "io/signals.h"

namespace holdfast::proxy {
namespace {

AccessRecord example() {
  AccessRecord record;
  record.wall_us = 1'700'000'000'123'456;
  record.status = 200;
  record.method = "GET";
  record.path = "/a\"b\\c\n\xff";
  record.client = "10.0.0.7";
  return record;
}

TEST(AccessLog, a_line_is_json_whatever_a_client_sent) {
  std::string line;
  append_json(line, example());
  EXPECT_EQ(line.find("{\"time\":\"2023-11-14T22:13:20.123Z\",\"client\":\"10.0.0.7\",\"method\":\"GET\","
                      "\"path\":\"/a\\\"b\\\\c\\u000a\\u00ff\",\"status\":200"),
            0U);
  EXPECT_TRUE(line.ends_with("}\n"));
}

TEST(AccessRing, gives_back_what_was_pushed_in_order_also_across_its_end) {
  AccessRing ring;
  std::string pushed;
  std::string drained;
  AccessRecord record = example();
  for (int round = 0; round < 5000; ++round) {
    const std::string host(static_cast<std::size_t>(round % 1100), 'h');
    record.host = host;
    record.attempts = static_cast<std::uint8_t>(round);
    ring.push(record);
    record.host = record.host.substr(0, AccessRecord::kTextBytesMax);
    append_json(pushed, record);
    if (round % 100 == 99) ring.drain(drained);
  }
  ring.drain(drained);
  EXPECT_EQ(ring.dropped.get(), 0U);
  EXPECT_EQ(pushed, drained);
}

TEST(AccessRing, drops_and_counts_when_nobody_drains) {
  AccessRing ring;
  const AccessRecord record = example();
  for (int i = 0; i < 100'000; ++i) ring.push(record);
  EXPECT_GT(ring.dropped.get(), 0U);
  std::string lines;
  EXPECT_EQ(ring.drain(lines) + ring.dropped.get(), 100'000U);
}

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
    append_json(pushed, record);
  }
  EXPECT_EQ(piped.ring->dropped.get(), 0U);
  EXPECT_TRUE(piped.read(3000) == pushed);
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

#include "proxy/access_log.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace holdfast::proxy

#include "proxy/access_log_ring.h"

#include <array>
#include <gtest/gtest.h>
#include <string>

#include "io/loop_thread.h"
#include "proxy/access_log_for_tests.h"

namespace holdfast::proxy {
namespace {

constexpr std::size_t kTextMax = AccessRecord::kTextBytesMax;

/// A ring, and what was pushed into it against what came out.
struct Checked {
  explicit Checked(std::size_t bytes = AccessRing::kBytesMin) : ring(bytes) {}

  bool push(const AccessRecord& record) {
    const std::uint64_t dropped = ring.dropped.get();
    ring.push(record);
    if (ring.dropped.get() != dropped) return false;
    pushed += reference_line(record);
    return true;
  }
  /// Pushes a record of that many bytes in the ring.
  bool push_of(std::size_t bytes, char fill = 'f') {
    const std::size_t text_bytes = bytes - PackedRecord::bytes_for(0);
    std::array<std::string, 8> texts;
    AccessRecord record;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      texts[i].assign(std::min(kTextMax, text_bytes - std::min(text_bytes, i * kTextMax)), fill);
      record.*kAccessTexts[i] = texts[i];
    }
    EXPECT_EQ(PackedRecord::bytes_for(text_bytes), bytes);
    return push(record);
  }
  void drain() {
    while (ring.drain(lines) != 0) {
      drained += lines.text();
      lines.clear();
    }
  }
  bool gave_back_all() {
    drain();
    return pushed == drained;  // not EXPECT_EQ, which would show megabytes
  }

  AccessRing ring;
  AccessLines lines;
  std::string pushed;
  std::string drained;
};

TEST(AccessLine, is_json_whatever_a_client_sent) {
  Checked checked;
  checked.push(example());
  checked.drain();
  EXPECT_EQ(checked.drained,
            "{\"time\":\"2023-11-14T22:13:20.123Z\",\"client\":\"10.0.0.7\",\"method\":\"GET\","
            "\"path\":\"/a\\\"b\\\\c\\u000a\\u00ff\",\"status\":200,\"duration_us\":0,\"upstream_us\":0,"
            "\"request_bytes\":0,\"response_bytes\":0,\"attempts\":0}\n");
}

TEST(AccessLine, every_byte_at_every_place_of_a_text_is_written_or_escaped) {
  Checked checked(AccessRing::kBytes);
  for (int byte = 0; byte < 256; ++byte) {
    for (const std::size_t size : {1U, 2U, 15U, 16U, 17U, 31U, 32U, 33U, 48U}) {
      for (std::size_t at = 0; at < size; ++at) {
        std::string text(size, 'x');
        text[at] = static_cast<char>(byte);
        AccessRecord record = example();
        record.path = text;
        record.request_id = text;
        ASSERT_TRUE(checked.push(record));
      }
    }
    ASSERT_TRUE(checked.gave_back_all()) << byte;
  }
}

TEST(AccessLine, texts_are_kept_to_their_limit_and_the_longest_line_fits) {
  for (const std::size_t size : {kTextMax - 1, kTextMax, kTextMax + 1, 10 * kTextMax}) {
    const std::string text(size, '\xff');
    AccessRecord record;
    record.wall_us = 253'402'300'799'999'999;  // the end of the year 9999
    record.duration_us = record.upstream_us = UINT32_MAX;
    record.request_bytes = record.response_bytes = UINT64_MAX;
    record.status = UINT16_MAX;
    record.attempts = UINT8_MAX;
    for (const auto member : kAccessTexts) record.*member = text;
    Checked checked;
    for (int i = 0; i < 20; ++i) {  // more than fits into the ring, and into the lines at once
      ASSERT_TRUE(checked.push(record));
      const std::size_t before = checked.lines.text().size();
      ASSERT_EQ(checked.ring.drain(checked.lines), 1U);
      EXPECT_LE(checked.lines.text().size() - before + 16, AccessLines::kLineBytesMax);
      checked.drained += checked.lines.text();
      checked.lines.clear();
    }
    EXPECT_TRUE(checked.gave_back_all()) << size;
  }
}

TEST(AccessLine, one_long_text_is_cut_and_many_short_ones_are_not) {
  const std::string text(kTextMax / 2 + 1, 't');
  const std::string long_text(kTextMax + 1, 'l');
  Checked checked;
  AccessRecord record = example();
  for (const auto member : kAccessTexts) {
    record.*member = text;
    checked.push(record);
  }
  for (const auto member : kAccessTexts) {
    record.*member = long_text;
    checked.push(record);
    EXPECT_TRUE(checked.gave_back_all());
  }
}

TEST(AccessLines, stop_when_full_and_the_ring_keeps_the_rest) {
  Checked checked(AccessRing::kBytes);
  const std::string text(kTextMax, '\n');
  AccessRecord record = example();
  record.path = text;
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(checked.push(record));
  EXPECT_LT(checked.ring.drain(checked.lines), 500U);
  EXPECT_FALSE(checked.lines.has_room());
  EXPECT_LE(checked.lines.text().size(), AccessLines::kBytes);
  EXPECT_EQ(checked.ring.drain(checked.lines), 0U) << "no room";
  checked.drained += checked.lines.text();
  checked.lines.clear();
  EXPECT_TRUE(checked.gave_back_all());
}

TEST(AccessRing, a_record_before_the_end_lies_whole_at_every_distance_from_it) {
  constexpr std::size_t kStep = PackedRecord::kAlign;
  const std::size_t least = PackedRecord::bytes_for(0);
  for (std::size_t left = 0; left <= 40 * kStep; left += kStep) {
    // Exactly what is left, one step less, one more.
    for (const std::size_t size : {left - kStep, left, left + kStep}) {
      if (size < least || size > 50 * kStep) continue;
      Checked checked;
      ASSERT_TRUE(checked.push_of(4096, 'a'));
      checked.drain();  // room at the start
      for (std::size_t at = 4096; at < 28'672; at += 8192) ASSERT_TRUE(checked.push_of(8192, 'b'));
      ASSERT_TRUE(checked.push_of(4096 - left, 'b'));
      ASSERT_TRUE(checked.push_of(size, 'c')) << left << " " << size;
      ASSERT_TRUE(checked.push_of(least, 'd'));
      ASSERT_TRUE(checked.gave_back_all()) << left << " " << size;
    }
  }
}

TEST(AccessRing, takes_records_until_it_is_exactly_full) {
  constexpr std::size_t kStep = PackedRecord::kAlign;
  for (const std::size_t last : {1024 - kStep, std::size_t{1024}, 1024 + kStep}) {
    Checked checked;
    for (std::size_t at = 0; at < AccessRing::kBytesMin - 1024; at += 1024) ASSERT_TRUE(checked.push_of(1024));
    EXPECT_EQ(checked.push_of(last), last <= 1024) << last;
    EXPECT_EQ(checked.ring.dropped.get(), last <= 1024 ? 0U : 1U);
    EXPECT_TRUE(checked.gave_back_all()) << last;
  }
}

TEST(AccessRing, is_exactly_full_too_when_a_record_went_to_the_start) {
  constexpr std::size_t kStep = PackedRecord::kAlign;
  for (const std::size_t last : {4096 - kStep, std::size_t{4096}, 4096 + kStep}) {
    Checked checked;
    ASSERT_TRUE(checked.push_of(4096, 'a'));
    checked.drain();  // its place is free
    for (std::size_t at = 4096; at < AccessRing::kBytesMin - 4096; at += 4096) {
      ASSERT_TRUE(checked.push_of(at == 4096 ? 4096 + kStep : 4096, 'b'));
    }
    // Less than 4096 bytes are left before the end, and exactly 4096 before the first record that is not read.
    EXPECT_EQ(checked.push_of(last, 'c'), last <= 4096) << last;
    EXPECT_TRUE(checked.gave_back_all()) << last;
  }
}

TEST(AccessRing, has_room_for_all_but_one_largest_record_wherever_it_is_empty) {
  Checked checked;
  for (int round = 0; round < 200; ++round) {
    ASSERT_TRUE(checked.push_of(PackedRecord::bytes_for(0) + 96));  // moves on where the next round begins
    checked.drain();
    std::size_t taken = 0;
    while (taken + 1024 + kPackedRecordBytesMax <= AccessRing::kBytesMin) {
      ASSERT_TRUE(checked.push_of(1024)) << round << " " << taken;
      taken += 1024;
    }
    ASSERT_TRUE(checked.gave_back_all()) << round;
  }
}

TEST(AccessRing, an_empty_one_takes_any_record_wherever_it_stands) {
  for (std::size_t bytes = PackedRecord::bytes_for(0); bytes < 3000; bytes += 176) {
    Checked checked;
    const std::string text(kTextMax, 't');
    AccessRecord largest = example();
    for (const auto member : kAccessTexts) largest.*member = text;
    for (int i = 0; i < 100; ++i) {
      ASSERT_TRUE(checked.push_of(bytes));
      if (i % 3 == 0) checked.push_of(bytes);
      checked.drain();
      ASSERT_TRUE(checked.push(largest));
      checked.drain();
    }
    ASSERT_TRUE(checked.gave_back_all());
    EXPECT_EQ(checked.ring.dropped.get(), 0U);
  }
}

TEST(AccessRing, gives_back_records_of_any_kind_as_the_reference_writes_them) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Prng prng(seed);
    Checked checked;
    std::uint64_t taken = 0;
    for (int i = 0; i < 500; ++i) {
      const RandomRecord record(prng);
      taken += checked.push(record.get()) ? 1U : 0U;
      if (prng.below(8) == 0) checked.drain();
    }
    ASSERT_TRUE(checked.gave_back_all()) << "seed " << seed;
    EXPECT_EQ(taken + checked.ring.dropped.get(), 500U);
  }
}

TEST(AccessRing, drops_and_counts_when_nobody_drains) {
  Checked checked(AccessRing::kBytes);
  std::uint64_t taken = 0;
  for (int i = 0; i < 100'000; ++i) taken += checked.push(example()) ? 1U : 0U;
  EXPECT_GT(checked.ring.dropped.get(), 0U);
  EXPECT_EQ(taken + checked.ring.dropped.get(), 100'000U);
  EXPECT_TRUE(checked.gave_back_all());
}

TEST(AccessRing, gives_each_record_once_and_in_order_to_a_thread_that_drains_meanwhile) {
  Checked checked;
  io::LoopThread reader("reader");
  Prng prng(7);
  for (int round = 0; round < 300; ++round) {
    reader.loop().post([&checked] { checked.drain(); });
    for (int i = 0; i < 40; ++i) {
      const RandomRecord record(prng);
      checked.push(record.get());
    }
  }
  reader.run_and_wait([&checked] { checked.drain(); });
  EXPECT_TRUE(checked.pushed == checked.drained);
}

}  // namespace
}  // namespace holdfast::proxy

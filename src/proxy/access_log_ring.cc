#include "proxy/access_log_ring.h"

#include <bit>
#include <cstddef>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace holdfast::proxy {
namespace {

// Where the size of a record would be.
constexpr std::uint32_t kGoOnAtStart = 0;
static_assert(offsetof(PackedRecord, bytes) == 0);

std::size_t text_bytes_of(const AccessRecord& record) {
  return [&record]<std::size_t... Text>(std::index_sequence<Text...>) {
    return ((record.*kAccessTexts[Text]).size() + ...);
  }(std::make_index_sequence<kAccessTexts.size()>());
}

template <std::size_t Size>
void copy_fixed(char* to, const char* from) {
  std::memcpy(to, from, Size);
}

// Texts are short: a call of memcpy for each costs more than the bytes. Two moves that overlap do for any size between
// that of one and of both.
char* copy_text(char* to, const char* from, std::size_t size) {
  char* const end = to + size;
  if (size >= 16) {
    const char* const last = from + size - 16;
    for (; from < last; from += 16, to += 16) copy_fixed<16>(to, from);
    copy_fixed<16>(end - 16, last);
  } else if (size >= 8) {
    copy_fixed<8>(to, from);
    copy_fixed<8>(end - 8, from + size - 8);
  } else if (size >= 4) {
    copy_fixed<4>(to, from);
    copy_fixed<4>(end - 4, from + size - 4);
  } else if (size > 0) {
    *to = *from;
    to[size / 2] = from[size / 2];
    end[-1] = from[size - 1];
  }
  return end;
}

}  // namespace

AccessRing::AccessRing(std::size_t bytes) : bytes_(bytes), memory_(std::make_unique_for_overwrite<char[]>(bytes)) {
  check(bytes >= kBytesMin, "a ring holds two of the largest records");
  check(std::has_single_bit(bytes), "a ring's size is a power of two");
}

void AccessRing::push(const AccessRecord& record) {
  const std::size_t text_bytes = text_bytes_of(record);
  if (text_bytes <= AccessRecord::kTextBytesMax) [[likely]] {
    store(record, text_bytes);
    return;
  }
  AccessRecord cut = record;
  for (const auto text : kAccessTexts) cut.*text = (cut.*text).substr(0, AccessRecord::kTextBytesMax);
  store(cut, text_bytes_of(cut));
}

void AccessRing::store(const AccessRecord& record, std::size_t text_bytes) {
  const std::size_t bytes = PackedRecord::bytes_for(text_bytes);
  std::size_t at = written_.load(std::memory_order_relaxed);
  const std::size_t read = read_.load(std::memory_order_acquire);
  const std::size_t offset = at & (bytes_ - 1);
  const std::size_t left = bytes_ - offset;
  char* place = memory_.get() + offset;
  const bool from_start = bytes > left;
  if (from_start) at += left;
  if (at + bytes - read > bytes_) {
    dropped.add();
    return;
  }
  if (from_start) {
    std::memcpy(place, &kGoOnAtStart, sizeof kGoOnAtStart);
    place = memory_.get();
  }
  PackedRecord& packed = *::new (place) PackedRecord;
  packed.bytes = static_cast<std::uint32_t>(bytes);
  packed.duration_us = record.duration_us;
  packed.upstream_us = record.upstream_us;
  packed.status = record.status;
  packed.attempts = record.attempts;
  packed.wall_us = record.wall_us;
  packed.request_bytes = record.request_bytes;
  packed.response_bytes = record.response_bytes;
  char* to = place + sizeof packed;
  std::uint16_t* size = packed.sizes.data();
  for (const auto text : kAccessTexts) {
    const std::string_view from = record.*text;
    *size++ = static_cast<std::uint16_t>(from.size());
    to = copy_text(to, from.data(), from.size());
  }
  written_.store(at + bytes, std::memory_order_release);
}

std::size_t AccessRing::drain(AccessLines& lines) {
  std::size_t at = read_.load(std::memory_order_relaxed);
  const std::size_t end = written_.load(std::memory_order_acquire);
  std::size_t records = 0;
  while (at != end && lines.has_room()) {
    const std::size_t offset = at & (bytes_ - 1);
    const char* const place = memory_.get() + offset;
    std::uint32_t bytes = 0;
    std::memcpy(&bytes, place, sizeof bytes);
    if (bytes == kGoOnAtStart) {
      at += bytes_ - offset;
      continue;
    }
    lines.add(place);
    at += bytes;
    ++records;
  }
  read_.store(at, std::memory_order_release);
  return records;
}

}  // namespace holdfast::proxy

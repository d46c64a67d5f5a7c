// For tests: a record, its line as plainly as it can be written, to hold the one that is fast against; and records made
// at random.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/prng.h"
#include "base/rfc3339.h"
#include "proxy/access_log_record.h"

namespace holdfast::proxy {

inline AccessRecord example() {
  AccessRecord record;
  record.wall_us = 1'700'000'000'123'456;
  record.status = 200;
  record.method = "GET";
  record.path = "/a\"b\\c\n\xff";
  record.client = "10.0.0.7";
  return record;
}

inline std::string reference_line(const AccessRecord& record) {
  std::string line = "{\"time\":\"";
  append_rfc3339(line, record.wall_us);
  line += '"';
  const auto text = [&line](const char* key, std::string_view value) {
    if (value.empty()) return;
    line += std::string(",\"") + key + "\":\"";
    for (const char c : value.substr(0, AccessRecord::kTextBytesMax)) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\') {
        line += {'\\', c};
      } else if (byte < 0x20 || byte > 0x7e) {
        line += "\\u00";
        line += "0123456789abcdef"[byte / 16];
        line += "0123456789abcdef"[byte % 16];
      } else {
        line += c;
      }
    }
    line += '"';
  };
  const auto number = [&line](const char* key, std::uint64_t value) {
    line += std::string(",\"") + key + "\":" + std::to_string(value);
  };
  text("client", record.client);
  text("method", record.method);
  text("host", record.host);
  text("path", record.path);
  number("status", record.status);
  number("duration_us", record.duration_us);
  number("upstream_us", record.upstream_us);
  number("request_bytes", record.request_bytes);
  number("response_bytes", record.response_bytes);
  number("attempts", record.attempts);
  text("listener", record.listener);
  text("service", record.service);
  text("endpoint", record.endpoint);
  text("breaker", record.breaker);
  text("reason", record.reason);
  text("request_id", record.request_id);
  return line + "}\n";
}

/// A record with texts of any bytes, most of them short and plain, some beyond what is kept.
class RandomRecord {
 public:
  explicit RandomRecord(Prng& prng) : bytes_(kAccessTexts.size()) {
    record_.wall_us = static_cast<std::int64_t>(1'700'000'000'000'000 + prng.below(3'000'000));
    record_.duration_us = static_cast<std::uint32_t>(prng.next() >> (32 + prng.below(32)));
    record_.upstream_us = static_cast<std::uint32_t>(prng.next() >> (32 + prng.below(32)));
    record_.request_bytes = prng.next() >> prng.below(64);
    record_.response_bytes = prng.next() >> prng.below(64);
    record_.status = static_cast<std::uint16_t>(prng.next());
    record_.attempts = static_cast<std::uint8_t>(prng.next());
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
      const std::uint64_t size_max = prng.below(16) == 0 ? AccessRecord::kTextBytesMax + 100 : 40;
      bytes_[i].resize(prng.below(size_max + 1));
      const bool is_plain = prng.below(4) != 0;
      for (char& c : bytes_[i]) c = static_cast<char>(is_plain ? 'a' + prng.below(26) : prng.next());
      record_.*kAccessTexts[i] = bytes_[i];
    }
  }
  RandomRecord(const RandomRecord&) = delete;
  RandomRecord& operator=(const RandomRecord&) = delete;

  const AccessRecord& get() const { return record_; }

 private:
  std::vector<std::string> bytes_;
  AccessRecord record_;
};

}  // namespace holdfast::proxy

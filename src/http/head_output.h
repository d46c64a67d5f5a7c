// Where a head is written to: memory that is known to suffice, because a bound was taken first. Internal to this floor.
#pragma once

#include <charconv>
#include <cstring>
#include <span>
#include <string_view>

#include "http/field_list.h"

namespace holdfast::http {

/// "18446744073709551615"
inline constexpr std::size_t kLongestNumber = 20;

class HeadOutput {
 public:
  explicit HeadOutput(std::span<char> out) : begin_(out.data()), at_(out.data()) {}

  HeadOutput& put(std::string_view text) {
    if (!text.empty()) std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
    return *this;
  }
  HeadOutput& put_number(std::uint64_t number) {
    at_ = std::to_chars(at_, at_ + kLongestNumber, number).ptr;
    return *this;
  }
  HeadOutput& put_field(std::string_view name, std::string_view value) {
    return put(name).put(": ").put(value).put("\r\n");
  }

  /// Writes the fields that go on, but for those in `left_out`. Neighbours that need no change go in one copy.
  void put_fields(const FieldList& fields, NameSet left_out) {
    std::string_view run;
    for (const Field& field : fields) {
      if (!field.end_to_end || left_out.has(field.id)) continue;
      if (!field.verbatim) {
        put(run).put_field(field.name, field.value);
        run = {};
        continue;
      }
      const char* const line = field.name.data();
      const char* const line_end = field.value.data() + field.value.size() + 2;
      if (run.data() != nullptr && run.data() + run.size() == line) {
        run = {run.data(), line_end};
      } else {
        put(run);
        run = {line, line_end};
      }
    }
    put(run);
  }
  void put_extra(std::span<const Field> extra) {
    for (const Field& field : extra) put_field(field.name, field.value);
  }

  std::size_t size() const { return static_cast<std::size_t>(at_ - begin_); }

 private:
  char* begin_;
  char* at_;
};

/// What put_fields or put_extra may write.
template <class Fields>
std::size_t fields_bound(const Fields& fields) {
  std::size_t bytes = 0;
  for (const Field& field : fields) bytes += field.name.size() + field.value.size() + 4;
  return bytes;
}

}  // namespace holdfast::http

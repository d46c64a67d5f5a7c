#include "http/chunk_writer.h"

#include <cstring>

namespace holdfast::http {

std::span<char> frame_chunk(std::span<char> data, bool last, std::string_view trailers) {
  char* begin = data.data();
  char* end = data.data() + data.size();
  const auto put = [&end](std::string_view text) {
    if (text.empty()) return;
    std::memcpy(end, text.data(), text.size());
    end += text.size();
  };
  if (!data.empty()) {
    *--begin = '\n';
    *--begin = '\r';
    for (std::size_t left = data.size(); left != 0; left >>= 4) *--begin = "0123456789abcdef"[left & 15];
    put("\r\n");
  }
  if (last) {
    put("0\r\n");
    put(trailers);
    put("\r\n");
  }
  return {begin, end};
}

}  // namespace holdfast::http

#include "http/chunked.h"

#include <gtest/gtest.h>
#include <vector>

#include "http/chunk_writer.h"

namespace holdfast::http {
namespace {

using Status = ChunkedDecoder::Status;

struct Decoded {
  Status status = Status::need_more;
  std::string data;
  std::string trailers;
  std::size_t consumed = 0;
  std::string error;
  bool operator==(const Decoded&) const = default;
};

/// Decodes in pieces of `piece` bytes, as they would come from a socket.
Decoded decode(std::string_view bytes, std::size_t piece = std::string_view::npos, const Limits& limits = {}) {
  ChunkedDecoder decoder(limits);
  Decoded decoded;
  while (!bytes.empty() && decoded.status == Status::need_more) {
    std::string buffer(bytes.substr(0, piece));
    const ChunkedDecoder::Step step = decoder.decode(buffer);
    decoded.data.append(step.data.data(), step.data.size());
    decoded.consumed += step.consumed;
    decoded.status = step.status;
    decoded.error = step.error;
    bytes.remove_prefix(buffer.size());
  }
  decoded.trailers = decoder.trailers();
  return decoded;
}

Status judge(std::string_view bytes, const Limits& limits = {}) {
  return decode(bytes, std::string_view::npos, limits).status;
}

TEST(Chunked, rfc9112_7_1_gives_the_data_and_leaves_what_follows) {
  const Decoded decoded = decode("5\r\nhello\r\nA;x=y\r\n, world!!!\r\n0\r\n\r\nGET /");
  EXPECT_EQ(decoded.status, Status::done);
  EXPECT_EQ(decoded.data, "hello, world!!!");
  EXPECT_EQ(decoded.consumed, 34U);
}

TEST(Chunked, any_split_gives_the_same) {
  for (const std::string_view bytes :
       {"5\r\nhello\r\n00006;a=\"b\\\"c\";d\r\n world\r\n0\r\nX-Sum: 1\r\nHost: no\r\n\r\nrest",
        "5\r\nhello\r\n6 \r\n world", "5\r\nhelloX", "5\r\nhello\r\n0\r\n\n", "fffffffffffffffff\r\n"}) {
    const Decoded whole = decode(bytes);
    for (std::size_t piece = 1; piece < bytes.size(); ++piece) EXPECT_EQ(decode(bytes, piece), whole) << bytes << piece;
  }
}

TEST(Chunked, one_chunk_in_one_buffer_is_not_moved) {
  std::string buffer = "5\r\nhello\r\n";
  ChunkedDecoder decoder;
  const ChunkedDecoder::Step step = decoder.decode(buffer);
  EXPECT_EQ(step.data.data(), buffer.data() + 3);
  EXPECT_EQ(step.consumed, buffer.size());
}

TEST(Chunked, rfc9112_7_1_rejects_sizes_that_are_no_plain_hexadecimal_number) {
  for (const char* size : {"", "0x5", "5_0", "+5", "-5", " 5", "5 ", "5\t", "g", "5g", "5\v", "5 ;a"}) {
    EXPECT_EQ(judge(std::string(size) + "\r\nhello\r\n0\r\n\r\n"), Status::malformed) << size;
  }
}

TEST(Chunked, rfc9112_7_1_rejects_sizes_that_overflow) {
  EXPECT_EQ(judge("7fffffffffffffff\r\n"), Status::need_more);
  EXPECT_EQ(judge("8000000000000000\r\n"), Status::malformed);
  EXPECT_EQ(judge("0000000000000005\r\nhello\r\n0\r\n\r\n"), Status::done);
  EXPECT_EQ(judge("00000000000000005\r\nhello\r\n0\r\n\r\n"), Status::malformed) << "17 digits";
}

TEST(Chunked, rfc9112_7_1_rejects_bare_lf_and_bare_cr_everywhere) {
  for (const char* bytes :
       {"5\nhello\r\n0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhello\r\n0\n\r\n", "5\r\nhello\r\n0\r\n\n",
        "5\r\nhello\r\n0\r\nX: y\n\r\n", "5\rhello\r\n", "5\r\nhello\r0\r\n\r\n", "5;a\nhello\r\n0\r\n\r\n",
        "5;a\rb\r\nhello\r\n", "0\r\n\rX", "0\r\nX: y\rZ\r\n\r\n", "5\r\r;ABCD\r\n34\r\nE\r\n0\r\n\r\n"}) {
    EXPECT_EQ(judge(bytes), Status::malformed) << bytes;
  }
}

TEST(Chunked, rfc9112_7_1_rejects_data_longer_or_shorter_than_its_size) {
  EXPECT_EQ(judge("5\r\nhello!\r\n0\r\n\r\n"), Status::malformed);
  EXPECT_EQ(judge("5\r\nhell\r\n0\r\n\r\n"), Status::malformed);
  EXPECT_EQ(judge("3\r\nfoo\r\n\r\n"), Status::malformed) << "no last chunk";
}

TEST(Chunked, rfc9112_7_1_1_checks_extensions_and_drops_them) {
  for (const char* good : {"5;a", "5;a=b", "5;a=b;c", "5;a=\"b;\\\"c \xc3\"", "5;a=\"\";b"}) {
    EXPECT_EQ(decode(std::string(good) + "\r\nhello\r\n0\r\n\r\n").data, "hello") << good;
  }
  for (const char* wrong : {"5;", "5;;a", "5;a=", "5;=b", "5; a", "5;a =b", "5;a= b", "5;a=\"b", "5;a=\"b\"c",
                            "5;a=\"\x01\"", "5;a=b=c", "5;a=\"\\\x01\"", "5;\xc3"}) {
    EXPECT_EQ(judge(std::string(wrong) + "\r\nhello\r\n0\r\n\r\n"), Status::malformed) << wrong;
  }
}

TEST(Chunked, rfc9112_7_1_1_extensions_of_a_chunk_have_a_limit) {
  const auto chunk = [](std::size_t bytes) { return "1;" + std::string(bytes - 1, 'x') + "\r\na\r\n"; };
  EXPECT_EQ(judge(chunk(255)), Status::need_more);
  EXPECT_EQ(judge(chunk(256)), Status::need_more);
  EXPECT_EQ(judge(chunk(257)), Status::malformed);
}

TEST(Chunked, rfc9112_7_1_1_extensions_of_a_body_have_a_limit) {
  const auto body = [](int chunks, std::size_t last) {
    std::string bytes;
    for (int i = 0; i < chunks; ++i) bytes += "1;" + std::string(255, 'x') + "\r\na\r\n";
    return bytes + "1;" + std::string(last - 1, 'x') + "\r\na\r\n";
  };
  EXPECT_EQ(judge(body(15, 255)), Status::need_more);
  EXPECT_EQ(judge(body(15, 256)), Status::need_more);
  EXPECT_EQ(judge(body(16, 2)), Status::malformed);
}

TEST(Trailers, rfc9110_6_5_1_drops_what_frames_routes_or_authenticates) {
  const Decoded decoded = decode(
      "0\r\nX-Checksum:  abc \r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nHost: evil\r\nAuthorization: x\r\n"
      "Cookie: a=b\r\nSet-Cookie: a=b\r\nX-Forwarded-For: 1.2.3.4\r\nContent-Type: text/html\r\nX_Under: score\r\n"
      "Connection: close\r\nETag: \"x\"\r\n\r\n");
  EXPECT_EQ(decoded.status, Status::done);
  EXPECT_EQ(decoded.trailers, "X-Checksum: abc\r\nETag: \"x\"\r\n");
}

TEST(Trailers, rfc9112_7_1_2_rejects_malformed_lines) {
  for (const char* wrong : {"X : y", " X: y", "X", ": y", "X: \x01", "X: y\r\n folded", "X\x7f: y"}) {
    EXPECT_EQ(judge(std::string("0\r\n") + wrong + "\r\n\r\n"), Status::malformed) << wrong;
  }
  EXPECT_EQ(judge(std::string_view("0\r\nX: \0\r\n\r\n", 11)), Status::malformed);
}

TEST(Trailers, the_section_has_a_limit) {
  Limits limits;
  limits.trailer_bytes = 20;
  const auto section = [](std::size_t bytes) { return "0\r\nX: " + std::string(bytes - 7, 'v') + "\r\n\r\n"; };
  EXPECT_EQ(judge(section(19), limits), Status::done);
  EXPECT_EQ(judge(section(20), limits), Status::done);
  EXPECT_EQ(judge(section(21), limits), Status::malformed);
}

TEST(Chunked, is_as_new_after_reset) {
  ChunkedDecoder decoder;
  std::string bytes = "1\r\na\r\n0\r\nX: y\r\n\r\n";
  EXPECT_EQ(decoder.decode(bytes).status, Status::done);
  decoder.reset();
  EXPECT_EQ(decoder.trailers(), "");
  bytes = "2\r\nbc\r\n0\r\n\r\n";
  EXPECT_EQ(decoder.decode(bytes).status, Status::done);
}

TEST(ChunkWriter, frames_data_where_it_lies) {
  const auto frame = [](std::size_t size, bool last, std::string_view trailers = {}) {
    std::vector<char> buffer(kChunkHeadroom + size + kChunkTailroom + trailers.size());
    const std::span<char> data(buffer.data() + kChunkHeadroom, size);
    std::fill(data.begin(), data.end(), 'x');
    const std::span<char> framed = frame_chunk(data, last, trailers);
    EXPECT_GE(framed.data(), buffer.data());
    EXPECT_LE(framed.data() + framed.size(), buffer.data() + buffer.size());
    return std::string(framed.begin(), framed.end());
  };
  EXPECT_EQ(frame(10, false), "a\r\nxxxxxxxxxx\r\n");
  EXPECT_EQ(frame(1, true), "1\r\nx\r\n0\r\n\r\n");
  EXPECT_EQ(frame(0, true), "0\r\n\r\n");
  EXPECT_EQ(frame(0, false), "");
  EXPECT_EQ(frame(1, true, "X: y\r\n"), "1\r\nx\r\n0\r\nX: y\r\n\r\n");
  const Decoded back = decode(frame(0x12345, true, "X: y\r\n"));
  EXPECT_EQ(back.data.size(), 0x12345U);
  EXPECT_EQ(back.trailers, "X: y\r\n");
}

}  // namespace
}  // namespace holdfast::http

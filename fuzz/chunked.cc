// Chunked bodies: any split gives the same data, trailers, end and verdict; what was decoded and framed again decodes
// to the same. The first byte chooses a split, beside one at every byte, the rest is the body.
#include "http/chunked.h"

#include <algorithm>
#include <vector>

#include "http/chunk_writer.h"
#include "oracle.h"

using namespace holdfast::http;
using namespace holdfast::fuzz;

namespace {

using Status = ChunkedDecoder::Status;

struct Decoded {
  Status status = Status::need_more;
  std::string data;
  std::string trailers;
  std::string_view error;
  std::size_t consumed = 0;
  bool operator==(const Decoded&) const = default;
};

constexpr Limits kTight{.chunk_extension_bytes = 16, .body_extension_bytes = 40, .trailer_bytes = 60};

/// In pieces of `piece` bytes, the first of `first` if that is not 0.
Decoded decode(std::string_view bytes, std::size_t piece, const Limits& limits = kTight, std::size_t first = 0) {
  ChunkedDecoder decoder(limits);
  Decoded decoded;
  while (!bytes.empty() && decoded.status == Status::need_more) {
    const std::string_view part = bytes.substr(0, first == 0 ? piece : first);
    first = 0;
    std::vector<char> buffer(part.begin(), part.end());
    const ChunkedDecoder::Step step = decoder.decode(buffer);
    if (step.status == Status::need_more && step.consumed != part.size()) std::abort();
    decoded.data.append(step.data.begin(), step.data.end());
    decoded.status = step.status;
    decoded.error = step.error;
    decoded.consumed += step.consumed;
    bytes.remove_prefix(part.size());
  }
  decoded.trailers = decoder.trailers();
  return decoded;
}

std::string frame(const Decoded& decoded) {
  std::vector<char> room(kChunkHeadroom + decoded.data.size() + kChunkTailroom + decoded.trailers.size());
  const std::span<char> data = std::span(room).subspan(kChunkHeadroom, decoded.data.size());
  std::copy(decoded.data.begin(), decoded.data.end(), data.begin());
  const std::span<char> framed = frame_chunk(data, true, decoded.trailers);
  return {framed.begin(), framed.end()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 4096) return 0;
  const std::string_view bytes = text_of(data + 1, size - 1);
  const Decoded whole = decode(bytes, bytes.size() + 1);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{data[0]} + 1}) {
    if (!(decode(bytes, piece) == whole)) must_be_empty("split in pieces of " + std::to_string(piece) + " it differs");
  }
  const std::size_t step = bytes.size() / 256 + 1;  // every byte of what is not long
  for (std::size_t at = step; at < bytes.size(); at += step) {
    if (!(decode(bytes, bytes.size(), kTight, at) == whole))
      must_be_empty("cut at " + std::to_string(at) + " it differs");
  }
  if (whole.status != Status::done) return 0;
  const std::string framed = frame(whole);
  // A trailer "X:y" is written "X: y": what fitted a tight limit may not fit it again.
  const Decoded again = decode(framed, framed.size(), Limits{});
  if (again.status != Status::done || again.data != whole.data || again.trailers != whole.trailers ||
      again.consumed != framed.size()) {
    must_be_empty("framed again it differs");
  }
  return 0;
}

// A client's whole connection: requests with bodies one behind the other. Cut anywhere it gives the same heads, the
// same bodies and the same end; and what is written upstream for it is canonical and reads back as the same sequence,
// so that no byte changes the message it belongs to. The first byte chooses limits and the cut, the rest is the stream.
#include <algorithm>
#include <array>
#include <vector>

#include "canonical.h"
#include "http/chunk_writer.h"
#include "http/chunked.h"
#include "http/head_end.h"
#include "http/meaning.h"
#include "oracle.h"

using namespace holdfast::http;
using namespace holdfast::fuzz;

namespace {

const RequestRewrite kRewrite{
    .client = "192.0.2.1", .proto = "https", .request_id = "1f", .forward_expect = true, .websocket = true};

/// Reads a stream as a session does: heads when the scanner says so, bodies piece by piece.
class Reader {
 public:
  explicit Reader(const Limits& limits) : limits_(limits), decoder_(limits) {}

  void feed(std::string_view piece) {
    received_.append(piece);
    while (!over_ && (in_body_ ? read_body() : read_head(false))) {
    }
  }

  /// No more will come.
  void finish() {
    if (!over_ && !in_body_) read_head(true);
    if (!over_) log_.append(in_body_ ? "the stream ends in a body\n" : "the stream ends in a head\n");
  }

  const std::string& log() const { return log_; }          ///< what was understood
  const std::string& written() const { return written_; }  ///< what goes upstream

 private:
  bool read_head(bool whatever) {
    if (received_.empty()) return false;
    if (!scanner_.should_parse(received_) && !whatever) return false;
    RequestHead head;
    const ParseOutcome outcome = parse_request_head(received_, limits_, head);
    if (outcome.status == ParseStatus::incomplete) return false;
    if (outcome.status == ParseStatus::malformed) return end(std::string(outcome.reason));
    scanner_.reset();
    log_.append(meaning_of(head)).append("body=");
    write_head(head);
    framing_ = head.framing;
    left_ = head.content_length;
    last_ = !head.keep_alive || head.websocket;
    in_body_ = true;
    decoder_.reset();
    received_.erase(0, outcome.head_bytes);
    return true;
  }

  bool read_body() {
    if (framing_ == Framing::chunked) {
      std::vector<char> bytes(received_.begin(), received_.end());
      const ChunkedDecoder::Step step = decoder_.decode(bytes);
      received_.erase(0, step.consumed);
      log_.append(step.data.begin(), step.data.end());
      if (step.status == ChunkedDecoder::Status::malformed) return end(std::string(step.error));
      const bool done = step.status == ChunkedDecoder::Status::done;
      write_chunk({step.data.data(), step.data.size()}, done);
      return done && end_body(decoder_.trailers());
    }
    const std::size_t size = std::min<std::uint64_t>(left_, received_.size());
    log_.append(received_, 0, size);
    written_.append(received_, 0, size);
    received_.erase(0, size);
    left_ -= size;
    return left_ == 0 && end_body({});
  }

  void write_head(const RequestHead& head) {
    std::vector<char> out(request_head_bound(head, kRewrite));
    const auto size = write_request_head(head, kRewrite, out);
    if (!size) must_be_empty("does not fit its bound");
    must_be_empty(not_canonical({out.data(), *size}, true));
    written_.append(out.data(), *size);
  }

  void write_chunk(std::string_view data, bool last) {
    const std::string_view trailers = last ? decoder_.trailers() : std::string_view{};
    std::vector<char> room(kChunkHeadroom + data.size() + kChunkTailroom + trailers.size());
    std::copy(data.begin(), data.end(), room.begin() + kChunkHeadroom);
    const std::span<char> framed = frame_chunk(std::span(room).subspan(kChunkHeadroom, data.size()), last, trailers);
    written_.append(framed.begin(), framed.end());
  }

  bool end_body(std::string_view trailers) {
    log_.append("\ntrailers=").append(trailers).append("\n\n");
    in_body_ = false;
    return last_ ? end("the last request of the connection") : true;
  }

  bool end(const std::string& why) {
    log_.append("\n").append(why).append("\n");
    over_ = true;
    return false;
  }

  Limits limits_;
  HeadEndScanner scanner_;
  ChunkedDecoder decoder_;
  std::string received_;
  std::string log_;
  std::string written_;
  Framing framing_ = Framing::none;
  std::uint64_t left_ = 0;
  bool in_body_ = false;
  bool last_ = false;
  bool over_ = false;
};

Reader read(std::string_view bytes, std::size_t first, std::size_t piece, const Limits& limits) {
  Reader reader(limits);
  reader.feed(bytes.substr(0, first));
  for (std::size_t at = std::min(first, bytes.size()); at < bytes.size(); at += piece) {
    reader.feed(bytes.substr(at, piece));
  }
  reader.finish();
  return reader;
}

void must_be_same(const Reader& whole, const Reader& cut, std::string_view how, std::size_t at) {
  if (whole.log() == cut.log()) return;
  must_be_empty(std::string(how)
                    .append(" ")
                    .append(std::to_string(at))
                    .append(":\n")
                    .append(cut.log())
                    .append("\nwhole:\n")
                    .append(whole.log()));
}

/// What was understood up to the end of the last message that was complete.
std::string_view complete_part(const std::string& log) {
  const std::size_t end = log.rfind("\ntrailers=");
  return end == std::string::npos ? std::string_view{} : std::string_view(log).substr(0, end);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 1024) return 0;
  const std::uint8_t choice = data[0];
  const std::string_view bytes = text_of(data + 1, size - 1);
  Limits limits;
  if ((choice & 1) != 0) limits = {.header_bytes = 200, .headers = 6, .field_bytes = 60, .chunk_extension_bytes = 16};
  const Reader whole = read(bytes, bytes.size(), 1, limits);
  const std::size_t step = bytes.size() / 256 + 1;  // every byte of what is not long
  for (std::size_t at = step; at < bytes.size(); at += step) {
    must_be_same(whole, read(bytes, at, bytes.size(), limits), "cut at", at);
  }
  for (const std::size_t piece : {std::size_t{1}, std::size_t{2} + (choice >> 1)}) {
    must_be_same(whole, read(bytes, piece, piece, limits), "in pieces of", piece);
  }

  Limits wide;
  wide.header_bytes *= 4;
  wide.trailer_bytes *= 4;
  const Reader again = read(whole.written(), whole.written().size(), 1, wide);
  if (!std::string_view(again.log()).starts_with(complete_part(whole.log()))) {
    must_be_empty("understood:\n" + whole.log() + "\nby who is told:\n" + again.log());
  }
  return 0;
}

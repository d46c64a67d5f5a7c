#include "client/body_decoder.h"

#include <algorithm>

namespace holdfast::client {

BodyDecoder::Status BodyDecoder::take(std::string& received, std::string& body) {
  switch (framing_) {
    case http::Framing::none: return Status::done;
    case http::Framing::until_close:
      body += received;
      received.clear();
      return Status::need_more;
    case http::Framing::length: {
      const std::size_t mine = std::min<std::uint64_t>(left_, received.size());
      body.append(received, 0, mine);
      received.erase(0, mine);
      left_ -= mine;
      return left_ == 0 ? Status::done : Status::need_more;
    }
    case http::Framing::chunked: break;
  }
  const http::ChunkedDecoder::Step step = chunks_.decode(received);
  body.append(step.data.data(), step.data.size());
  received.erase(0, step.consumed);
  switch (step.status) {
    case http::ChunkedDecoder::Status::done: return Status::done;
    case http::ChunkedDecoder::Status::malformed: return Status::malformed;
    case http::ChunkedDecoder::Status::need_more: return Status::need_more;
  }
  return Status::malformed;
}

}  // namespace holdfast::client

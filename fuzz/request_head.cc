// Request heads: no prefix contradicts the whole, under wide and under tight limits; what is written is canonical,
// reads back with the same meaning and is written the same again. The first byte chooses limits and rewriting, the rest
// is the head.
#include "canonical.h"
#include "http/meaning.h"
#include "oracle.h"

using namespace holdfast::http;
using namespace holdfast::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 2048) return 0;
  const std::uint8_t choice = data[0];
  const std::string_view bytes = text_of(data + 1, size - 1);
  Limits limits;
  if ((choice & 1) != 0) {
    limits = {.header_bytes = 200, .headers = 4, .field_bytes = 60, .target_bytes = 40, .method_bytes = 8};
  }
  limits.underscores = static_cast<Underscores>((choice >> 1) % 3);
  must_be_empty(contradiction_in_request(bytes, limits));

  RequestHead head;
  if (parse_request_head(bytes, limits, head).status != ParseStatus::complete) return 0;
  RequestRewrite rewrite{.client = "192.0.2.1", .proto = "https", .request_id = "1f"};
  rewrite.trust_forwarded = (choice & 8) != 0;
  rewrite.keep_alive = (choice & 16) != 0;
  rewrite.forward_expect = true;
  rewrite.websocket = true;
  // An HTTP/1.0 request may lack Host; what is written is HTTP/1.1 and gets the one that routing gives it.
  must_be_empty(not_canonical(write(head, rewrite), true));
  must_be_empty(change_by_writing(head, rewrite));
  return 0;
}

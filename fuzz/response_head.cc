// Response heads: no prefix contradicts the whole; what is written is canonical, reads back with the same meaning and
// is written the same again. The first byte chooses the request that is answered, the rest is the head.
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
  if ((choice & 1) != 0) limits = {.header_bytes = 200, .headers = 4, .field_bytes = 60};
  const Method method = (choice & 2) != 0 ? Method::head : Method::get;
  const bool upgrade_asked = (choice & 4) != 0;
  must_be_empty(contradiction_in_response(bytes, limits, method, upgrade_asked));

  ResponseHead head;
  const ParseOutcome outcome = parse_response_head(bytes, limits, method, head, upgrade_asked);
  if (outcome.status != ParseStatus::complete) return 0;
  const ResponseRewrite rewrite{.framing = head.framing,
                                .content_length = head.content_length,
                                .keep_alive = (choice & 8) != 0,
                                .client_minor_version = static_cast<std::uint8_t>((choice >> 4) & 1),
                                .websocket = head.websocket};
  must_be_empty(not_canonical(write(head, rewrite), false));
  must_be_empty(change_by_writing(head, method, rewrite));
  return 0;
}

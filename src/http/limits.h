// What one head, one chunk and one trailer section may cost us. Beyond a limit the message is refused, never cut short.
#pragma once

#include <cstdint>

namespace holdfast::http {

/// What becomes of a request field whose name holds an underscore. CGI-like backends take X_User and X-User for the
/// same variable, so such a field can impersonate one that the proxy sets.
enum class Underscores : std::uint8_t { drop, reject, forward };

struct Limits {
  std::uint32_t header_bytes = 64 * 1024;     ///< whole head, empty lines included; beyond: 431
  std::uint32_t headers = 100;                ///< field lines; beyond: 431
  std::uint32_t field_bytes = 16 * 1024;      ///< one field line without its CRLF; beyond: 431
  std::uint32_t target_bytes = 8 * 1024;      ///< request target; beyond: 414
  std::uint32_t method_bytes = 32;            ///< beyond: 501
  std::uint32_t connection_options = 32;      ///< elements of Connection; beyond: 431
  std::uint32_t chunk_extension_bytes = 256;  ///< of one chunk
  std::uint32_t body_extension_bytes = 4096;  ///< of all chunks of a body
  std::uint32_t trailer_bytes = 8 * 1024;     ///< whole trailer section
  Underscores underscores = Underscores::drop;
};

}  // namespace holdfast::http

// What a head means: the start line, the fields, and the conclusions drawn from them (where the body ends, whether the
// connection lives on). All views point into the buffer that was parsed; a head object is reused and keeps its memory.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/field_list.h"
#include "http/method.h"

namespace holdfast::http {

/// How the end of the body is found (RFC 9112 6.3).
enum class Framing : std::uint8_t { none, length, chunked, until_close };

struct RequestHead {
  Method method = Method::other;
  std::string_view method_text;
  std::string_view target;     ///< as received
  std::string_view path;       ///< "/…", or "*" for OPTIONS *; never empty
  std::string_view query;      ///< without '?'; query.data() is null when there is no '?'
  std::string_view authority;  ///< host[:port] as sent, from an absolute-form target or Host; may be empty
  std::string_view host;       ///< without the port, as sent: compare without regard to case
  std::uint16_t port = 0;      ///< 0: none was given
  std::uint8_t minor_version = 1;
  Framing framing = Framing::none;
  bool keep_alive = true;            ///< the client wants the connection kept (RFC 9112 9.3)
  bool expect_continue = false;      ///< it waits for 100 before it sends its body
  bool websocket = false;            ///< it asks to upgrade to websocket
  std::uint64_t content_length = 0;  ///< of Framing::length
  FieldList fields;

  const Field* find(Name name) const { return fields.find(name); }
  const Field* find(std::string_view name) const { return fields.find(name); }
  void clear();
};

struct ResponseHead {
  std::uint16_t status = 0;
  std::uint8_t minor_version = 1;
  Framing framing = Framing::none;
  bool keep_alive = true;           ///< the connection may carry another exchange once the body has been read
  bool websocket = false;           ///< 101 to websocket: what follows is a tunnel
  bool has_content_length = false;  ///< also where there is no body: answers to HEAD, 304
  std::uint64_t content_length = 0;
  std::string_view reason;
  FieldList fields;

  const Field* find(Name name) const { return fields.find(name); }
  const Field* find(std::string_view name) const { return fields.find(name); }
  void clear();
};

}  // namespace holdfast::http

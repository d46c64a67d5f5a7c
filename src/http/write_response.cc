#include "http/write_response.h"

#include "base/check.h"
#include "http/head_output.h"
#include "http/status.h"

namespace holdfast::http {
namespace {

constexpr std::string_view kVersion = "HTTP/1.1 ";
constexpr std::string_view kLength = "Content-Length: ";
constexpr std::string_view kChunked = "Transfer-Encoding: chunked\r\n";
constexpr std::string_view kUpgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
constexpr std::string_view kClose = "Connection: close\r\n";
constexpr std::string_view kKeepAlive = "Connection: keep-alive\r\n";

constexpr std::size_t kOwnWords = kVersion.size() + 4 + 2 + kLength.size() + kLongestNumber + 2 + kChunked.size() +
                                  kUpgrade.size() + kKeepAlive.size() + 2;

constexpr NameSet kLeftOut = [] {
  NameSet names = {Name::content_length};
  names.add(kHopByHop);
  return names;
}();

void put_status_line(HeadOutput& out, int status, std::string_view reason) {
  out.put(kVersion).put_number(static_cast<std::uint64_t>(status)).put(" ").put(reason).put("\r\n");
}

void put_length(HeadOutput& out, std::uint64_t length) { out.put(kLength).put_number(length).put("\r\n"); }

void put_framing(HeadOutput& out, const ResponseHead& head, const ResponseRewrite& rewrite) {
  if (head.status < 200 || head.status == 204) return;
  switch (rewrite.framing) {
    case Framing::none:
      if (head.has_content_length) put_length(out, head.content_length);
      return;
    case Framing::length: put_length(out, rewrite.content_length); return;
    case Framing::chunked: out.put(kChunked); return;
    case Framing::until_close: return;
  }
}

/// HTTP/1.1 goes on unless told otherwise, HTTP/1.0 ends unless told otherwise (RFC 9112 9.3).
void put_connection(HeadOutput& out, bool keep_alive, std::uint8_t client_minor_version) {
  if (!keep_alive) {
    out.put(kClose);
  } else if (client_minor_version == 0) {
    out.put(kKeepAlive);
  }
}

}  // namespace

Framing client_framing(const ResponseHead& head, std::uint8_t client_minor_version) {
  if (head.framing == Framing::none || head.framing == Framing::length) return head.framing;
  return client_minor_version >= 1 ? Framing::chunked : Framing::until_close;
}

std::size_t response_head_bound(const ResponseHead& head, const ResponseRewrite& rewrite) {
  return kOwnWords + head.reason.size() + fields_bound(head.fields) + fields_bound(rewrite.extra);
}

std::optional<std::size_t> write_response_head(const ResponseHead& head, const ResponseRewrite& rewrite,
                                               std::span<char> out) {
  const std::size_t bound = response_head_bound(head, rewrite);
  if (bound > out.size()) return std::nullopt;
  HeadOutput output(out);
  put_status_line(output, head.status, head.reason);
  NameSet left_out = kLeftOut;
  if (rewrite.framing != Framing::chunked) left_out.add(Name::trailer);
  output.put_fields(head.fields, left_out);
  put_framing(output, head, rewrite);
  if (rewrite.websocket && head.websocket) {
    output.put(kUpgrade);
  } else if (head.status >= 200) {
    put_connection(output, rewrite.keep_alive, rewrite.client_minor_version);
  }
  output.put_extra(rewrite.extra);
  output.put("\r\n");
  check(output.size() <= bound, "a response head is no longer than its bound");
  return output.size();
}

}  // namespace holdfast::http

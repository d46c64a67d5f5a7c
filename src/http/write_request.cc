#include "http/write_request.h"

#include <algorithm>

#include "base/check.h"
#include "http/head_output.h"

namespace holdfast::http {
namespace {

// All words of ours: the request line's ends, Host, one framing field, Connection with Upgrade, Expect, X-…, empty
// line.
constexpr std::string_view kLineEnd = " HTTP/1.1\r\nHost: ";
constexpr std::string_view kLength = "Content-Length: ";
constexpr std::string_view kChunked = "Transfer-Encoding: chunked\r\n";
constexpr std::string_view kUpgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
constexpr std::string_view kClose = "Connection: close\r\n";
constexpr std::string_view kExpect = "Expect: 100-continue\r\n";
constexpr std::string_view kForwardedFor = "X-Forwarded-For: ";
constexpr std::string_view kForwardedProto = "X-Forwarded-Proto: ";
constexpr std::string_view kForwardedHost = "X-Forwarded-Host: ";
constexpr std::string_view kRequestId = "X-Request-Id: ";
constexpr std::string_view kTimeout = "X-Holdfast-Timeout-Ms: ";

constexpr std::size_t kOwnWords = 2 + kLineEnd.size() + 2 + kLength.size() + kLongestNumber + 2 + kChunked.size() +
                                  kUpgrade.size() + kClose.size() + kExpect.size() + kForwardedFor.size() + 4 +
                                  kForwardedProto.size() + 2 + kForwardedHost.size() + 2 + kRequestId.size() + 2 +
                                  kTimeout.size() + kLongestNumber + 2 + 2;

/// A URI goes out in origin-form (RFC 9112 3.2.1), so that no upstream sees two authorities.
void put_request_line(HeadOutput& out, const RequestHead& head, const RequestRewrite& rewrite) {
  out.put(head.method_text.empty() ? to_string(head.method) : head.method_text).put(" ");
  if (!rewrite.target.empty()) {
    out.put(rewrite.target);
  } else {
    out.put(head.path);
    if (head.query.data() != nullptr) out.put("?").put(head.query);
  }
  out.put(kLineEnd).put(rewrite.host.empty() ? head.authority : rewrite.host).put("\r\n");
}

void put_framing(HeadOutput& out, const RequestHead& head) {
  if (head.framing == Framing::length) out.put(kLength).put_number(head.content_length).put("\r\n");
  if (head.framing == Framing::chunked) out.put(kChunked);
}

/// "X-Forwarded-For: what a trusted peer said, who the peer is".
void put_forwarded_for(HeadOutput& out, const RequestHead& head, const RequestRewrite& rewrite) {
  const bool append = rewrite.trust_forwarded && head.fields.has(Name::x_forwarded_for);
  if (rewrite.client.empty() && !append) return;
  std::string_view before = kForwardedFor;
  if (append) {
    for (const Field& field : head.fields) {
      if (field.id != Name::x_forwarded_for || field.value.empty()) continue;
      out.put(before).put(field.value);
      before = ", ";
    }
  }
  if (!rewrite.client.empty()) {
    out.put(before).put(rewrite.client);
    before = ", ";
  }
  // Only empty values of a trusted peer and no client: there was nothing to say.
  if (before != kForwardedFor) out.put("\r\n");
}

void put_forwarding(HeadOutput& out, const RequestHead& head, const RequestRewrite& rewrite) {
  put_forwarded_for(out, head, rewrite);
  const auto put_unless_kept = [&](Name name, std::string_view words, std::string_view value) {
    const bool kept = rewrite.trust_forwarded && head.fields.has(name);
    if (!kept && !value.empty()) out.put(words).put(value).put("\r\n");
  };
  put_unless_kept(Name::x_forwarded_proto, kForwardedProto, rewrite.proto);
  put_unless_kept(Name::x_forwarded_host, kForwardedHost, head.authority);
  put_unless_kept(Name::x_request_id, kRequestId, rewrite.request_id);
  if (rewrite.timeout_ms) out.put(kTimeout).put_number(*rewrite.timeout_ms).put("\r\n");
}

/// What is never copied from the head: what we write ourselves and what belongs to the client's connection.
NameSet left_out(const RequestHead& head, const RequestRewrite& rewrite) {
  NameSet names = {Name::host, Name::content_length, Name::expect, Name::x_forwarded_for, Name::x_holdfast_timeout_ms};
  names.add(kHopByHop);
  if (!rewrite.trust_forwarded) names.add(kForwarding);
  if (head.framing != Framing::chunked) names.add(Name::trailer);
  return names;
}

}  // namespace

std::size_t request_head_bound(const RequestHead& head, const RequestRewrite& rewrite) {
  const std::size_t target = std::max(head.path.size() + 1 + head.query.size(), rewrite.target.size());
  const std::size_t host = std::max(head.authority.size(), rewrite.host.size());
  return kOwnWords + std::max(head.method_text.size(), std::size_t{7}) + target + host + fields_bound(head.fields) +
         rewrite.client.size() + rewrite.proto.size() + head.authority.size() + rewrite.request_id.size() +
         fields_bound(rewrite.extra);
}

std::optional<std::size_t> write_request_head(const RequestHead& head, const RequestRewrite& rewrite,
                                              std::span<char> out) {
  const std::size_t bound = request_head_bound(head, rewrite);
  if (bound > out.size()) return std::nullopt;
  HeadOutput output(out);
  put_request_line(output, head, rewrite);
  output.put_fields(head.fields, left_out(head, rewrite));
  put_framing(output, head);
  if (rewrite.websocket && head.websocket) {
    output.put(kUpgrade);
  } else if (!rewrite.keep_alive) {
    output.put(kClose);
  }
  if (rewrite.forward_expect && head.expect_continue) output.put(kExpect);
  put_forwarding(output, head, rewrite);
  output.put_extra(rewrite.extra);
  output.put("\r\n");
  check(output.size() <= bound, "a request head is no longer than its bound");
  return output.size();
}

}  // namespace holdfast::http

#include "client/url.h"

#include <algorithm>

#include "base/text.h"

namespace holdfast::client {
namespace {

constexpr std::string_view kPlain = "http://";
constexpr std::string_view kEncrypted = "https://";
constexpr std::size_t kHostBytesMax = 253;  // RFC 1035 2.3.4: the longest name

bool may_stand_in_host(char c) {
  return c > ' ' && c < '\x7f' && std::string_view("/?#@[]\\\"<>").find(c) == std::string_view::npos;
}

std::unexpected<Error> wrong(std::string_view text, std::string_view why) {
  return fail(Code::invalid, Side::local, "\"" + std::string(text.substr(0, 100)) + "\": " + std::string(why));
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  Url url;
  std::string_view rest = text;
  if (rest.starts_with(kPlain)) {
    rest.remove_prefix(kPlain.size());
  } else if (rest.starts_with(kEncrypted)) {
    rest.remove_prefix(kEncrypted.size());
    url.tls = true;
  } else {
    return wrong(text, "a URL begins with http:// or https://");
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  std::string_view host = rest;
  std::string_view port;
  if (rest.starts_with('[')) {
    const std::size_t end = rest.find(']');
    if (end == std::string_view::npos) return wrong(text, "the bracket of the address is not closed");
    host = rest.substr(1, end - 1);
    port = rest.substr(end + 1);
  } else if (const std::size_t colon = rest.find(':'); colon != std::string_view::npos) {
    host = rest.substr(0, colon);
    port = rest.substr(colon);
  }
  url.port = url.tls ? 443 : 80;
  if (!port.empty()) {
    const auto number = port.starts_with(':') ? parse_number<std::uint16_t>(port.substr(1)) : std::nullopt;
    if (!number || *number == 0) return wrong(text, "a port is a number from 1 to 65535");
    url.port = *number;
  }
  if (host.empty() || host.size() > kHostBytesMax || !std::ranges::all_of(host, may_stand_in_host)) {
    return wrong(text, "there is no host, or it cannot be one");
  }
  url.host = host;
  return url;
}

std::string authority(const Url& url) {
  if (url.host.starts_with('/')) return "localhost";
  const bool brackets = url.host.find(':') != std::string::npos;
  return (brackets ? "[" + url.host + "]" : url.host) + ":" + std::to_string(url.port);
}

std::string to_string(const Url& url) {
  if (url.host.starts_with('/')) return "unix:" + url.host;
  return std::string(url.tls ? kEncrypted : kPlain) + authority(url);
}

}  // namespace holdfast::client

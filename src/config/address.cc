#include "config/address.h"

#include <algorithm>
#include <arpa/inet.h>
#include <sys/un.h>

#include "base/text.h"

namespace holdfast::config {
namespace {

constexpr std::size_t kMaxHostName = 253;
constexpr std::size_t kMaxUnixPath = sizeof(sockaddr_un{}.sun_path) - 1;

std::string quote(std::string_view text) { return '"' + std::string(text) + '"'; }
std::unexpected<std::string> wrong(std::string_view text, std::string_view why) {
  return std::unexpected(quote(text) + ' ' + std::string(why));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_host_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxHostName) return false;
  return std::ranges::all_of(split(name, '.'), [](std::string_view label) {
    const auto fits = [](char c) {
      return (to_lower(c) >= 'a' && to_lower(c) <= 'z') || is_digit(c) || c == '-' || c == '_';
    };
    return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
           std::ranges::all_of(label, fits);
  });
}

/// Names of digits only in their last label do not exist: what looks like one is a mistyped IPv4 address.
bool looks_numeric(std::string_view host) {
  const std::string_view last = host.substr(host.rfind('.') == std::string_view::npos ? 0 : host.rfind('.') + 1);
  return !last.empty() && std::ranges::all_of(last, is_digit);
}

std::optional<std::array<std::uint8_t, 4>> parse_ip4(std::string_view text) {
  std::array<std::uint8_t, 4> bytes{};
  if (text.contains('\0')) return std::nullopt;
  if (inet_pton(AF_INET, std::string(text).c_str(), bytes.data()) != 1) return std::nullopt;
  return bytes;
}

std::optional<Network::Bytes> parse_ip6(std::string_view text) {
  Network::Bytes bytes{};
  if (text.contains('\0')) return std::nullopt;
  if (inet_pton(AF_INET6, std::string(text).c_str(), bytes.data()) != 1) return std::nullopt;
  return bytes;
}

std::string write_ip6(const Network::Bytes& bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(AF_INET6, bytes.data(), text.data(), text.size());
  return text.data();
}

std::expected<Address, std::string> parse_unix(std::string_view text) {
  const std::string_view path = text.substr(std::string_view("unix:").size());
  if (!path.starts_with('/')) return wrong(text, "needs an absolute path: unix:/run/name.sock");
  if (path.size() > kMaxUnixPath) {
    return wrong(text, "is too long: a socket's path has at most " + std::to_string(kMaxUnixPath) + " bytes");
  }
  const bool printable = std::ranges::all_of(path, [](char c) { return c >= ' ' && c <= '~'; });
  if (!printable) return wrong(text, "may hold only printable ASCII");
  return Address{Address::Kind::unix_path, std::string(path), 0};
}

constexpr unsigned kMappedBits = 96;

bool is_mapped(const Network& network) {
  const Network prefix{Network::mapped({}), kMappedBits};
  return network.bits >= kMappedBits && prefix.contains(network.address);
}

}  // namespace

std::expected<Address, std::string> Address::parse(std::string_view text) {
  if (text.starts_with("unix:")) return parse_unix(text);
  if (const std::size_t scheme = text.find("://"); scheme != std::string_view::npos) {
    return wrong(text, "is a URL; write the address alone: " + std::string(text.substr(scheme + 3)));
  }
  if (text.starts_with('/')) return wrong(text, "is a path; write unix:" + std::string(text) + " for a unix socket");

  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || text.ends_with(']')) {
    return wrong(text, "has no port; write " + (text.empty() ? "10.0.0.1" : std::string(text)) + ":80");
  }
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  const std::optional<std::uint16_t> port = parse_number<std::uint16_t>(digits);
  if (!port || (digits.size() > 1 && digits.front() == '0'))
    return wrong(text, "has a wrong port; expected 0 to 65535");

  if (host.starts_with('[') && host.ends_with(']')) {
    const auto ip6 = parse_ip6(host.substr(1, host.size() - 2));
    if (!ip6) return wrong(text, "is not an IPv6 address and port; expected [::1]:80");
    return Address{Kind::ip6, write_ip6(*ip6), *port};
  }
  if (host.find(':') != std::string_view::npos)
    return wrong(text, "is ambiguous; an IPv6 address stands in brackets: \"[::1]:80\"");
  if (parse_ip4(host)) return Address{Kind::ip4, std::string(host), *port};
  if (host.empty() || host == "*") {
    return wrong(text, "names no host; write 0.0.0.0:" + std::string(digits) + " or \"[::]:" + std::string(digits) +
                           "\" for all of them");
  }
  if (looks_numeric(host))
    return wrong(text, "is not an IPv4 address and port; expected four numbers up to 255: 10.0.0.1:80");
  if (!is_host_name(host))
    return wrong(text, "is not an address; expected 10.0.0.1:80, [::1]:80, name:80 or unix:/path");
  std::string name(host);
  std::ranges::transform(name, name.begin(), to_lower);
  return Address{Kind::name, std::move(name), *port};
}

std::string to_string(const Address& address) {
  switch (address.kind) {
    case Address::Kind::unix_path: return "unix:" + address.host;
    case Address::Kind::ip6: return '[' + address.host + "]:" + std::to_string(address.port);
    case Address::Kind::ip4:
    case Address::Kind::name: break;
  }
  return address.host + ':' + std::to_string(address.port);
}

Network::Bytes Network::mapped(const std::array<std::uint8_t, 4>& ip4) {
  Bytes bytes{};
  bytes[10] = 0xff;
  bytes[11] = 0xff;
  std::ranges::copy(ip4, bytes.begin() + 12);
  return bytes;
}

bool Network::contains(const Bytes& client) const {
  const std::size_t whole = bits / 8U;
  if (!std::equal(address.begin(), address.begin() + static_cast<std::ptrdiff_t>(whole), client.begin())) return false;
  const unsigned rest = bits % 8U;
  return rest == 0 || ((address[whole] ^ client[whole]) >> (8U - rest)) == 0;
}

std::expected<Network, std::string> Network::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view ip = text.substr(0, slash);
  Network network;
  unsigned most = 128;
  if (const auto ip4 = parse_ip4(ip)) {
    network.address = mapped(*ip4);
    most = 32;
  } else if (const auto ip6 = parse_ip6(ip)) {
    network.address = *ip6;
  } else {
    return wrong(text, "is not a network; expected 10.0.0.0/8, fd00::/8 or one address");
  }
  unsigned bits = most;
  if (slash != std::string_view::npos) {
    const std::optional<unsigned> given = parse_number<unsigned>(text.substr(slash + 1));
    if (!given || *given > most) return wrong(text, "has a wrong prefix length; expected 0 to " + std::to_string(most));
    bits = *given;
  }
  network.bits = static_cast<std::uint8_t>(bits + (most == 32 ? kMappedBits : 0));

  Network base = network;
  for (unsigned bit = network.bits; bit < 128; ++bit)
    base.address[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> (bit % 8)));
  if (base != network) return wrong(text, "has bits set behind its prefix; write " + to_string(base));
  return network;
}

std::string to_string(const Network& network) {
  if (!is_mapped(network)) return write_ip6(network.address) + '/' + std::to_string(network.bits);
  std::string text;
  for (std::size_t i = 12; i < 16; ++i) text += (i > 12 ? "." : "") + std::to_string(network.address[i]);
  return text + '/' + std::to_string(network.bits - kMappedBits);
}

}  // namespace holdfast::config

#include "http/authority.h"

#include "base/text.h"
#include "http/chars.h"

namespace holdfast::http {
namespace {

/// unreserved / sub-delims without ',' (RFC 3986 2.2, 2.3); percent-encoding is looked at apart.
constexpr std::array<bool, 256> kHostChars = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("-._~!$&'()*+;=")) table[static_cast<unsigned char>(c)] = true;
  for (std::size_t c = 0; c < 128; ++c) {
    if (is_digit(static_cast<char>(c)) || is_alpha(static_cast<char>(c))) table[c] = true;
  }
  return table;
}();

bool is_name(std::string_view host) {
  for (std::size_t i = 0; i < host.size(); ++i) {
    if (kHostChars[static_cast<unsigned char>(host[i])]) continue;
    if (host[i] != '%' || host.size() - i < 3 || hex_value(host[i + 1]) < 0 || hex_value(host[i + 2]) < 0) return false;
    i += 2;
  }
  return true;
}

/// What stands between the brackets: hex digits, ':' and '.', at least "::". A resolver never sees it, so its exact
/// shape is not our business; that it cannot end early is. Zone identifiers (RFC 6874) mean nothing to a server.
bool is_ip_literal(std::string_view text) {
  if (text.size() < 2 || text.size() > 45) return false;
  std::size_t colons = 0;
  for (const char c : text) {
    if (c == ':') ++colons;
    if (c != ':' && c != '.' && hex_value(c) < 0) return false;
  }
  return colons >= 2;
}

}  // namespace

std::optional<Authority> parse_authority(std::string_view text) {
  Authority authority;
  std::size_t host_size = 0;
  if (text.starts_with('[')) {
    const std::size_t bracket = text.find(']');
    if (bracket == std::string_view::npos || !is_ip_literal(text.substr(1, bracket - 1))) return std::nullopt;
    host_size = bracket + 1;
  } else {
    host_size = text.find(':');
    if (host_size == std::string_view::npos) host_size = text.size();
    if (!is_name(text.substr(0, host_size))) return std::nullopt;
  }
  authority.host = text.substr(0, host_size);
  std::string_view rest = text.substr(host_size);
  if (rest.empty()) return authority;
  if (rest.front() != ':' || authority.host.empty()) return std::nullopt;
  rest.remove_prefix(1);
  if (rest.empty()) return authority;
  const std::optional<std::uint16_t> port = parse_number<std::uint16_t>(rest);
  if (!port || *port == 0) return std::nullopt;
  authority.port = *port;
  return authority;
}

}  // namespace holdfast::http

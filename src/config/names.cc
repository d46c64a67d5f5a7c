#include "config/names.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/text.h"

namespace holdfast::config {
namespace {

std::unexpected<std::string> wrong(std::string_view text, std::string_view why) {
  return std::unexpected('"' + std::string(text) + "\" " + std::string(why));
}

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alnum(char c) { return is_lower(to_lower(c)) || is_digit(c); }

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 63 && is_lower(text.front()) &&
         std::ranges::all_of(text, [](char c) { return is_lower(c) || is_digit(c) || c == '-'; });
}

bool is_token(std::string_view text) {
  return !text.empty() && text.size() <= 256 && std::ranges::all_of(text, [](char c) {
    return is_alnum(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool is_visible(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

bool is_domain(std::string_view text) {
  return !text.empty() && text.size() <= 253 && std::ranges::all_of(split(text, '.'), [](std::string_view label) {
    return !label.empty() && label.size() <= 63 &&
           std::ranges::all_of(label, [](char c) { return is_alnum(c) || c == '-' || c == '_'; });
  });
}

std::string lowered(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), to_lower);
  return out;
}

/// What a name would look like, for the remedy; empty if nothing comes of it.
std::string as_name(std::string_view text) {
  std::string out = lowered(text);
  std::ranges::replace_if(out, [](char c) { return c == '_' || c == '.' || c == ' '; }, '-');
  return is_name(out) ? out : "";
}

std::optional<std::uint16_t> parse_status(std::string_view text) {
  const auto status = parse_number<std::uint16_t>(text);
  return status && text.size() == 3 && *status >= 100 && *status <= 599 ? status : std::nullopt;
}

constexpr std::array<std::pair<HashKey::Source, std::string_view>, 5> kSources{
    {{HashKey::Source::client_ip, "client_ip"},
     {HashKey::Source::path, "path"},
     {HashKey::Source::header, "header"},
     {HashKey::Source::cookie, "cookie"},
     {HashKey::Source::query, "query"}}};

bool needs_name(HashKey::Source source) {
  return source != HashKey::Source::client_ip && source != HashKey::Source::path;
}

}  // namespace

std::expected<std::string, std::string> parse_name(std::string_view text) {
  if (is_name(text)) return std::string(text);
  const std::string better = as_name(text);
  return wrong(text, "is not a name; " + (better.empty() ? "" : "write \"" + better + "\": ") +
                         "expected small letters, digits and -, a letter first, at most 63");
}

std::expected<std::string, std::string> parse_path(std::string_view text) {
  if (!text.starts_with('/')) return wrong(text, "is not a path; it must start with /");
  if (text.size() > kMaxPath) return std::unexpected("a path has at most " + std::to_string(kMaxPath) + " bytes");
  if (!is_visible(text) || text.find_first_of("?#") != std::string_view::npos) {
    return wrong(text, "is not a path; expected printable ASCII without spaces, ? and # (write %20 for a space)");
  }
  return std::string(text);
}

std::expected<std::string, std::string> parse_log_path(std::string_view text) {
  if (text == "stdout" || text == "stderr" || text == "none") return std::string(text);
  const bool printable = std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
  if (!text.starts_with('/') || text.size() >= kMaxPath || !printable) {
    return wrong(
        text,
        "is no place for a log; expected stdout, stderr, none or an absolute path such as /var/log/holdfast.json");
  }
  return std::string(text);
}

std::expected<std::string, std::string> parse_location(std::string_view text) {
  const bool begins_well = text.starts_with('/') || text.starts_with("http://") || text.starts_with("https://");
  if (!begins_well || text.size() > kMaxPath || !is_visible(text)) {
    return wrong(text,
                 "is no place to redirect to; expected /path or https://host/path, printable ASCII without spaces");
  }
  return std::string(text);
}

std::expected<std::uint16_t, std::string> parse_redirect_status(std::string_view text) {
  const auto status = parse_status(text);
  constexpr std::array<std::uint16_t, 5> kRedirects{301, 302, 303, 307, 308};
  if (status && std::ranges::find(kRedirects, *status) != kRedirects.end()) return *status;
  return wrong(text, "is not a redirecting status; expected 301, 302, 303, 307 or 308");
}

std::expected<std::uint16_t, std::string> parse_answer_status(std::string_view text) {
  const auto status = parse_status(text);
  if (status && *status >= 200) return *status;
  return wrong(text, "is not the status of an answer; expected 200 to 599");
}

std::expected<std::string, std::string> parse_answer_body(std::string_view text) {
  if (text.size() <= kAnswerBodyMax) return std::string(text);
  return std::unexpected("a body in this file has at most " + write_bytes(kAnswerBodyMax) +
                         "; put a longer one into a file of its own (file: /path)");
}

std::expected<std::string, std::string> parse_header_name(std::string_view text) {
  constexpr std::array<std::string_view, 5> kOurs{"content-length", "transfer-encoding", "connection", "trailer",
                                                  "x-holdfast-degraded"};
  if (!is_token(text) || text.size() > kHeaderNameMax) {
    return wrong(
        text, "is not the name of a header; expected letters, digits and -, at most " + std::to_string(kHeaderNameMax));
  }
  if (std::ranges::find(kOurs, lowered(text)) != kOurs.end()) {
    return wrong(text, "is set by the proxy itself; remove it");
  }
  return std::string(text);
}

std::expected<std::string, std::string> parse_header_value(std::string_view text) {
  const bool printable = std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
  if (printable && text.size() <= kHeaderValueMax) return std::string(text);
  return std::unexpected("a header's value is printable ASCII, at most " + write_bytes(kHeaderValueMax));
}

std::expected<std::string, std::string> parse_host(std::string_view text) {
  const std::size_t colon = text.find(':');
  const bool port = colon == std::string_view::npos || parse_number<std::uint16_t>(text.substr(colon + 1));
  if (port && is_domain(text.substr(0, colon))) return lowered(text);
  return wrong(text, "is not a host; expected a name such as feed.example.com");
}

std::expected<HostPattern, std::string> parse_host_pattern(std::string_view text) {
  if (text == "*") return HostPattern{};
  const bool suffix = text.starts_with("*.");
  const std::string_view name = suffix ? text.substr(2) : text;
  if (name.find(':') != std::string_view::npos)
    return wrong(text, "has a port; a host matches on every port: leave it out");
  if (!is_domain(name)) return wrong(text, "is not a host; expected feed.example.com or \"*.example.com\"");
  if (suffix) return HostPattern{HostPattern::Kind::suffix, '.' + lowered(name)};
  return HostPattern{HostPattern::Kind::exact, lowered(name)};
}

std::expected<HashKey, std::string> parse_hash_key(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view word = text.substr(0, colon);
  const std::string_view name = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  for (const auto& [source, known] : kSources) {
    if (word != known || needs_name(source) == (colon == std::string_view::npos)) continue;
    if (!needs_name(source)) return HashKey{source, ""};
    const bool fits = source == HashKey::Source::query
                          ? !name.empty() && is_visible(name) && name.find_first_of("&=#") == std::string_view::npos
                          : is_token(name);
    if (fits) return HashKey{source, source == HashKey::Source::header ? lowered(name) : std::string(name)};
  }
  return wrong(text, "is nothing to hash; expected client_ip, path, header:NAME, cookie:NAME or query:NAME");
}

std::expected<std::string, std::string> parse_sticky(std::string_view text) {
  constexpr std::string_view kPrefix = "cookie:";
  if (text.starts_with(kPrefix) && is_token(text.substr(kPrefix.size())))
    return std::string(text.substr(kPrefix.size()));
  return wrong(text, "is nothing to stick to; expected cookie:NAME");
}

std::expected<StatusRange, std::string> parse_status_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto from = parse_status(text.substr(0, dash));
  const auto to = dash == std::string_view::npos ? from : parse_status(text.substr(dash + 1));
  if (!from || !to || *from > *to)
    return wrong(text, "is not a range of statuses; expected 200-399 or 204, from 100 to 599");
  return StatusRange{*from, *to};
}

std::expected<Address, std::string> parse_bind(std::string_view text) {
  auto address = Address::parse(text);
  if (address && address->kind == Address::Kind::name) {
    return wrong(text, "is a name; listen on an IP address: 127.0.0.1:" + std::to_string(address->port) + ", 0.0.0.0:" +
                           std::to_string(address->port) + " or \"[::]:" + std::to_string(address->port) + '"');
  }
  return address;
}

std::expected<Address, std::string> parse_endpoint(std::string_view text) {
  auto address = Address::parse(text);
  if (address && !address->is_unix() && address->port == 0) return wrong(text, "has port 0; expected 1 to 65535");
  return address;
}

std::expected<Address, std::string> parse_store_member(std::string_view text) {
  auto member = parse_endpoint(text);
  if (member && member->is_unix()) return std::unexpected("etcd is reached by HOST:PORT, not by a unix socket");
  return member;
}

std::expected<std::string, std::string> parse_user(std::string_view text) {
  const bool plain = !text.empty() && std::ranges::none_of(text, [](char c) { return c >= 0 && c < ' '; });
  if (plain) return std::string(text);
  return std::unexpected("is no name; expected text without control characters");
}

std::expected<std::string, std::string> parse_secret_file(std::string_view text) {
  constexpr std::string_view kFile = "file:";
  if (text.starts_with("file:/")) return std::string(text.substr(kFile.size()));
  return std::unexpected(
      "a secret does not belong into this file; write file: and the absolute path of a file with it");
}

std::expected<StoreAddress, std::string> parse_store_address(std::string_view text) {
  constexpr std::string_view kSqlite = "sqlite:";
  constexpr std::string_view kEtcd = "etcd://";
  StoreAddress store;
  if (text.starts_with(kSqlite)) {
    store.path = text.substr(kSqlite.size());
    if (store.path.starts_with('/') && store.path.back() != '/') return store;
    return std::unexpected("\"" + std::string(text) + "\" names no file; write sqlite: and an absolute path");
  }
  if (!text.starts_with(kEtcd)) {
    return std::unexpected("\"" + std::string(text) +
                           "\" is no store; expected sqlite:/path or etcd://10.0.0.1:2379,10.0.0.2:2379");
  }
  store.engine = StoreAddress::Engine::etcd;
  for (const std::string_view part : split(text.substr(kEtcd.size()), ',')) {
    auto member = parse_store_member(part);
    if (!member) return std::unexpected(member.error());
    if (std::ranges::find(store.members, *member) != store.members.end()) {
      return std::unexpected('"' + std::string(part) + "\" is listed twice; remove one");
    }
    store.members.push_back(std::move(*member));
  }
  if (store.members.size() > kStoreMembersMax) {
    return std::unexpected("has " + std::to_string(store.members.size()) + " members; at most " +
                           std::to_string(kStoreMembersMax));
  }
  return store;
}

std::string format_text(const std::string& text) { return text; }
std::string format_status(const std::uint16_t& status) { return std::to_string(status); }
std::string format_sticky(const std::string& cookie) { return "cookie:" + cookie; }
std::string format_address(const Address& address) { return to_string(address); }
std::string format_store_address(const StoreAddress& store) {
  if (store.engine == StoreAddress::Engine::sqlite) return "sqlite:" + store.path;
  std::string text = "etcd://";
  for (const Address& member : store.members) {
    if (text.back() != '/') text += ',';
    text += to_string(member);
  }
  return text;
}
std::string format_secret_file(const std::string& path) { return "file:" + path; }
std::string format_network(const Network& network) { return to_string(network); }

std::string format_host_pattern(const HostPattern& host) {
  return (host.kind == HostPattern::Kind::exact ? "" : "*") + host.name;
}

std::string format_hash_key(const HashKey& key) {
  const auto found = std::ranges::find(kSources, key.source, [](const auto& source) { return source.first; });
  return std::string(found->second) + (needs_name(key.source) ? ":" + key.name : "");
}

std::string format_status_range(const StatusRange& range) {
  return std::to_string(range.from) + (range.from == range.to ? "" : "-" + std::to_string(range.to));
}

}  // namespace holdfast::config

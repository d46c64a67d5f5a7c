// Words with a form of their own: names of things, hosts, paths, headers, cookies, statuses. Each parse function
// answers the value or words that say what is wrong and what was expected; each format function writes what parse
// reads. Source: RFC 9110 section 5.6.2 (token), RFC 3986 section 3.3 (path), RFC 6265 section 4.1.1 (cookie name).
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "config/model.h"

namespace holdfast::config {

inline constexpr std::string_view kNamePattern = "^[a-z][a-z0-9-]{0,62}$";
inline constexpr std::size_t kMaxPath = 4096;

std::expected<std::string, std::string> parse_name(std::string_view text);
/// An absolute path of a request, without query.
std::expected<std::string, std::string> parse_path(std::string_view text);
/// stdout, stderr, none, or an absolute path of a file.
std::expected<std::string, std::string> parse_log_path(std::string_view text);
/// A Location: a path or an http(s) URL.
std::expected<std::string, std::string> parse_location(std::string_view text);
std::expected<std::uint16_t, std::string> parse_redirect_status(std::string_view text);
/// The Host of a health check: a name or IPv4 address, with or without a port.
std::expected<std::string, std::string> parse_host(std::string_view text);
std::expected<HostPattern, std::string> parse_host_pattern(std::string_view text);
std::expected<HashKey, std::string> parse_hash_key(std::string_view text);
/// cookie:NAME
std::expected<std::string, std::string> parse_sticky(std::string_view text);
/// 200-399, or 204.
std::expected<StatusRange, std::string> parse_status_range(std::string_view text);
/// An address to listen on: no name (it would have to be resolved), port 0 allowed.
std::expected<Address, std::string> parse_bind(std::string_view text);
/// An address to connect to: port 0 not allowed.
std::expected<Address, std::string> parse_endpoint(std::string_view text);

/// Where a store is. A path is absolute; etcd has at most kStoreMembersMax members, each once.
std::expected<StoreAddress, std::string> parse_store_address(std::string_view text);
inline constexpr std::size_t kStoreMembersMax = 16;

std::expected<Address, std::string> parse_store_member(std::string_view text);
/// Any text that is not empty and holds no control characters.
std::expected<std::string, std::string> parse_user(std::string_view text);
/// file:/path: the path of a file that holds a secret.
std::expected<std::string, std::string> parse_secret_file(std::string_view text);

/// The status of an answer of our own: 200 to 599.
std::expected<std::uint16_t, std::string> parse_answer_status(std::string_view text);
/// The body of an answer of our own; any text up to kAnswerBodyMax.
std::expected<std::string, std::string> parse_answer_body(std::string_view text);
inline constexpr std::size_t kAnswerBodyMax = 16 * kKiB;
/// One header of such an answer: a token, none of those that frame it; and a value without line breaks.
std::expected<std::string, std::string> parse_header_name(std::string_view text);
std::expected<std::string, std::string> parse_header_value(std::string_view text);
inline constexpr std::size_t kHeaderNameMax = 200;
inline constexpr std::size_t kHeaderValueMax = 1 * kKiB;

std::string format_text(const std::string& text);
std::string format_status(const std::uint16_t& status);
std::string format_host_pattern(const HostPattern& host);
std::string format_hash_key(const HashKey& key);
std::string format_sticky(const std::string& cookie);
std::string format_status_range(const StatusRange& range);
std::string format_address(const Address& address);
std::string format_store_address(const StoreAddress& store);
std::string format_secret_file(const std::string& path);
std::string format_network(const Network& network);

}  // namespace holdfast::config

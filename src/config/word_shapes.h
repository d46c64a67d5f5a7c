// The shapes of words with a form of their own (names.h), as the tables use them.
#pragma once

#include "config/names.h"
#include "config/shapes.h"

namespace holdfast::config {

inline constexpr Scalar<std::string> kName{"name", kNamePattern, parse_name, format_text};
inline constexpr Scalar<std::string> kPath{"path", "^/", parse_path, format_text};
inline constexpr Scalar<StoreAddress> kStoreAddress{"`sqlite:/path` or `etcd://HOST:PORT,…`", "^(sqlite:/|etcd://)",
                                                    parse_store_address, format_store_address};
inline constexpr Scalar<Address> kStoreMember{"address", ":[0-9]+$", parse_store_member, format_address};
inline constexpr Scalar<std::string> kUser{"name", "", parse_user, format_text};
inline constexpr Scalar<std::string> kSecretFile{"`file:/path`", "^file:/", parse_secret_file, format_secret_file};
inline constexpr Scalar<std::string> kAnswerBody{"text", "", parse_answer_body, format_text};
inline constexpr Scalar<std::string> kLogPath{"`stdout`, `stderr`, `none` or a file", "^(stdout$|stderr$|none$|/)",
                                              parse_log_path, format_text};
inline constexpr Scalar<std::string> kLocation{"path or URL", "^(/|https?://)", parse_location, format_text};
inline constexpr Scalar<std::string> kHost{"host", "", parse_host, format_text};
inline constexpr Scalar<std::uint16_t> kRedirectStatus{"`301`, `302`, `303`, `307` or `308`", "^30[12378]$",
                                                       parse_redirect_status, format_status};
inline constexpr Scalar<HostPattern> kHostPattern{"host or `*.suffix`", "", parse_host_pattern, format_host_pattern};
inline constexpr Scalar<HashKey> kHashKey{"`client_ip`, `path`, `header:NAME`, `cookie:NAME` or `query:NAME`",
                                          "^(client_ip$|path$|header:|cookie:|query:)", parse_hash_key,
                                          format_hash_key};
inline constexpr Scalar<std::string> kSticky{"`cookie:NAME`", "^cookie:", parse_sticky, format_sticky};
inline constexpr Scalar<StatusRange> kStatusRange{"range of statuses", "^[1-5][0-9]{2}(-[1-5][0-9]{2})?$",
                                                  parse_status_range, format_status_range};
inline constexpr Scalar<Address> kBindAddress{"address", "^unix:/|:[0-9]+$", parse_bind, format_address};
inline constexpr Scalar<Address> kEndpointAddress{"address", "^unix:/|:[0-9]+$", parse_endpoint, format_address};
inline constexpr Scalar<Network> kNetwork{"network", "", Network::parse, format_network};

}  // namespace holdfast::config

// Base64 as JSON gateways write bytes: the standard alphabet, padded (RFC 4648 section 4).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace holdfast::store::etcd {

std::string to_base64(std::string_view bytes);
/// None if it is not base64: a foreign character, wrong padding, bits that are left over.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace holdfast::store::etcd

// Request methods, and what may be done with them: RFC 9110 9.2.1 (safe) and 9.2.2 (idempotent) decide what is retried.
#pragma once

#include <cstdint>
#include <string_view>

namespace holdfast::http {

enum class Method : std::uint8_t { get, head, post, put, delete_, connect, options, trace, patch, other };

/// The method of a token. Methods are case-sensitive: "get" is Method::other.
Method method_of(std::string_view token);

/// "GET", …; "" for Method::other.
std::string_view to_string(Method method);

/// Asks for nothing but an answer.
constexpr bool is_safe(Method method) {
  return method == Method::get || method == Method::head || method == Method::options || method == Method::trace;
}

/// May be sent twice to the same effect. An unknown method is not.
constexpr bool is_idempotent(Method method) {
  return is_safe(method) || method == Method::put || method == Method::delete_;
}

}  // namespace holdfast::http

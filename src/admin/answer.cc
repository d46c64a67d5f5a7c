#include "admin/answer.h"

#include <nlohmann/json.hpp>

#include "http/status.h"

namespace holdfast::admin {

Answer error_answer(std::uint16_t status, std::string_view code, std::string_view message, std::string_view remedy) {
  nlohmann::ordered_json error;
  error["code"] = code;
  error["message"] = message;
  error["remedy"] = remedy;
  nlohmann::ordered_json body;
  body["error"] = std::move(error);
  // A path may hold any byte; words that are no UTF-8 are shown as good as they can be.
  constexpr auto kReplace = nlohmann::ordered_json::error_handler_t::replace;
  return {.status = status, .content_type = kJson, .body = body.dump(-1, ' ', false, kReplace) + "\n"};
}

std::string to_bytes(const Answer& answer, const Delivery& delivery) {
  std::string bytes = "HTTP/1.1 " + std::to_string(answer.status) + " ";
  bytes.append(http::reason_phrase(answer.status)).append("\r\nContent-Type: ").append(answer.content_type);
  bytes.append("\r\nContent-Length: ").append(std::to_string(answer.body.size()));
  bytes.append("\r\nCache-Control: no-store\r\n");
  if (!answer.allow.empty()) bytes.append("Allow: ").append(answer.allow).append("\r\n");
  bytes.append(delivery.keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n");
  if (!delivery.to_head) bytes.append(answer.body);
  return bytes;
}

}  // namespace holdfast::admin

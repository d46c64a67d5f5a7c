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

Answer not_modified(std::string etag) { return {.status = 304, .etag = std::move(etag)}; }

std::string to_bytes(const Answer& answer, const Delivery& delivery) {
  std::string bytes = "HTTP/1.1 " + std::to_string(answer.status) + " ";
  bytes.append(http::reason_phrase(answer.status)).append("\r\n");
  if (answer.status != 304) {  // which has no body, and would lie about the length of the one it stands for
    bytes.append("Content-Type: ").append(answer.content_type);
    bytes.append("\r\nContent-Length: ").append(std::to_string(answer.body.size())).append("\r\n");
  }
  if (!answer.etag.empty()) bytes.append("ETag: ").append(answer.etag).append("\r\n");
  bytes.append("Cache-Control: no-store\r\n");
  if (!answer.allow.empty()) bytes.append("Allow: ").append(answer.allow).append("\r\n");
  bytes.append(delivery.keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n");
  if (!delivery.to_head && answer.status != 304) bytes.append(answer.body);
  return bytes;
}

std::string stream_head(std::string_view content_type) {
  std::string bytes = "HTTP/1.1 200 OK\r\nContent-Type: ";
  bytes.append(content_type).append("\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n");
  return bytes;
}

}  // namespace holdfast::admin

// For the tests of this floor: verdicts in one line.
#pragma once

#include <string>
#include <string_view>

#include "http/parse.h"

namespace holdfast::http {

/// 0 incomplete, 200 complete, else the status to answer.
inline int verdict(const ParseOutcome& outcome) {
  if (outcome.status == ParseStatus::incomplete) return 0;
  return outcome.status == ParseStatus::complete ? 200 : outcome.answer;
}

inline int judge_request(std::string_view bytes, const Limits& limits = {}) {
  RequestHead head;
  return verdict(parse_request_head(bytes, limits, head));
}

/// A GET with Host and the lines given, each of which ends in CRLF.
inline std::string get_with(std::string_view lines) {
  return std::string("GET / HTTP/1.1\r\nHost: a.example\r\n").append(lines).append("\r\n");
}
inline std::string post_with(std::string_view lines) {
  return std::string("POST / HTTP/1.1\r\nHost: a.example\r\n").append(lines).append("\r\n");
}
/// A request for that target.
inline std::string get_of(std::string_view target, std::string_view host = "a.example") {
  return std::string("GET ").append(target).append(" HTTP/1.1\r\nHost: ").append(host).append("\r\n\r\n");
}

inline int judge_response(std::string_view bytes, Method method = Method::get, bool upgrade_asked = false) {
  ResponseHead head;
  return verdict(parse_response_head(bytes, Limits{}, method, head, upgrade_asked));
}
inline std::string ok_with(std::string_view lines) {
  return std::string("HTTP/1.1 200 OK\r\n").append(lines).append("\r\n");
}

}  // namespace holdfast::http

#include "load/bodies.h"

#include <array>

namespace holdfast::bench {
namespace {

struct Page {
  std::string_view path;
  std::size_t bytes;
};
constexpr std::array kPages = {Page{"/128", 128}, Page{"/16k", 16 * 1024}, Page{"/1m", 1024 * 1024}};

// No two neighbouring kilobytes are alike, so a piece that is lost or sent twice changes the body.
std::string body_of(std::size_t bytes) {
  std::string body(bytes, ' ');
  for (std::size_t i = 0; i < bytes; ++i) body[i] = static_cast<char>('a' + (i * 7 + i / 1000) % 26);
  return body;
}

std::string answer_of(std::string_view status, std::size_t bytes) {
  std::string answer = "HTTP/1.1 ";
  answer.append(status).append("\r\nDate: Mon, 03 Mar 2025 10:00:00 GMT\r\nServer: origin\r\n");
  answer.append("Content-Type: text/html; charset=utf-8\r\nContent-Length: ").append(std::to_string(bytes));
  answer.append(
      "\r\nCache-Control: private, max-age=0\r\nETag: \"5e8c-1f2a3b4c5d6e\"\r\nVary: Accept-Encoding\r\n\r\n");
  return answer.append(body_of(bytes));
}

}  // namespace

std::optional<std::size_t> body_bytes(std::string_view path) {
  for (const Page& page : kPages) {
    if (page.path == path) return page.bytes;
  }
  return std::nullopt;
}

const std::string& answer_to(std::string_view path) {
  static const std::array answers = {answer_of("200 OK", kPages[0].bytes), answer_of("200 OK", kPages[1].bytes),
                                     answer_of("200 OK", kPages[2].bytes), answer_of("404 Not Found", 0)};
  for (std::size_t i = 0; i < kPages.size(); ++i) {
    if (kPages[i].path == path) return answers[i];
  }
  return answers.back();
}

}  // namespace holdfast::bench

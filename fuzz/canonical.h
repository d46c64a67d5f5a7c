// What a head must look like when it leaves us, read a second time by other means than our parser: lines, colons and
// nothing that anyone could read otherwise. Returns what is wrong, or nothing. Slow and plain on purpose.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::fuzz {

inline std::string lower_case(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

inline bool is_plain_token(std::string_view text) {
  return !text.empty() && text.find_first_not_of(
                              "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                              "!#$%&'*+-.^_`|~") == std::string_view::npos;
}

inline bool has_control(std::string_view text, bool tab_too) {
  return std::any_of(text.begin(), text.end(), [tab_too](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && (tab_too || c != '\t')) || c == 0x7f;
  });
}

/// The lines of a head without their CRLF, the empty one left out. Empty when a CR or LF stands elsewhere.
inline std::vector<std::string_view> lines_of(std::string_view head) {
  std::vector<std::string_view> lines;
  while (!head.empty()) {
    const std::size_t end = head.find_first_of("\r\n");
    if (end == std::string_view::npos || head.substr(end, 2) != "\r\n") return {};
    lines.push_back(head.substr(0, end));
    head.remove_prefix(end + 2);
  }
  if (lines.empty() || !lines.back().empty()) return {};
  lines.pop_back();
  return lines;
}

inline std::string not_canonical(std::string_view head, bool request) {
  const std::vector<std::string_view> lines = lines_of(head);
  const auto wrong = [head](std::string_view what) { return std::string(what).append(" in\n").append(head); };
  if (lines.empty()) return wrong("line ends");
  const std::string_view start = lines.front();
  if (has_control(start, request)) return wrong("a control character in the first line");
  if (request) {
    if (std::count(start.begin(), start.end(), ' ') != 2 || !start.ends_with(" HTTP/1.1")) return wrong("request line");
    if (!is_plain_token(start.substr(0, start.find(' ')))) return wrong("method");
    const char target = start[start.find(' ') + 1];
    if (target != '/' && target != '*') return wrong("target");
  } else if (!start.starts_with("HTTP/1.1 ") || start.size() < 13 || start[12] != ' ') {
    return wrong("status line");
  }
  std::size_t hosts = 0;
  std::size_t framings = 0;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (lines[i].empty()) return wrong("an empty line");
    const std::size_t colon = lines[i].find(": ");
    if (colon == std::string_view::npos || !is_plain_token(lines[i].substr(0, colon))) return wrong("a field name");
    const std::string_view value = lines[i].substr(colon + 2);
    if (has_control(value, false)) return wrong("a control character in a value");
    if (!value.empty() && (value.find_first_of(" \t") == 0 || value.find_last_of(" \t") == value.size() - 1)) {
      return wrong("white space around a value");
    }
    const std::string name = lower_case(lines[i].substr(0, colon));
    if (name == "host") ++hosts;
    if (name == "content-length") {
      ++framings;
      if (value.empty() || value.find_first_not_of("0123456789") != std::string_view::npos) return wrong("a length");
      if (value.size() > 1 && value.front() == '0') return wrong("a length with leading zeros");
    }
    if (name == "transfer-encoding") {
      ++framings;
      if (value != "chunked") return wrong("a transfer coding");
    }
    if (name == "te" || name == "keep-alive" || name == "proxy-connection" || name == "http2-settings") {
      return wrong("a hop-by-hop field");
    }
  }
  if (request && hosts != 1) return wrong("not one Host");
  if (framings > 1) return wrong("two framing fields");
  return {};
}

}  // namespace holdfast::fuzz

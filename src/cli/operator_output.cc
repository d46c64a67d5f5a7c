#include "cli/operator_output.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <vector>

namespace holdfast::cli {
namespace {

constexpr std::size_t kColumns = 8;
constexpr std::size_t kState = 1;
using Line = std::array<std::string, kColumns>;

std::string shown(std::string words) {
  std::ranges::replace_if(words, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, '?');
  return words;
}

std::string word_of(const Json& json, const char* member) { return shown(text_of(json, member)); }

std::string number_of(const Json& json, const char* member) {
  if (!json.contains(member) || !json[member].is_number()) return "?";
  return json[member].dump();
}

std::string share_of(const Json& json, const char* member) {
  if (!json.contains(member) || !json[member].is_number()) return "?";
  return std::to_string(std::lround(json[member].get<double>() * 100)) + '%';
}

const Json& override_of(const Json& breaker) {
  static const Json none;
  const bool is_forced = breaker.is_object() && breaker.contains("override") && breaker["override"].is_object();
  return is_forced ? breaker["override"] : none;
}

std::string reason_of(const Json& breaker) {
  const Json& forced = override_of(breaker);
  if (!forced.is_object()) return word_of(breaker, "reason");
  const std::string until = word_of(forced, "until");
  return "forced by " + word_of(forced, "actor") + ": " + word_of(forced, "reason") +
         (until.empty() ? "" : ", until " + until);
}

// For whom it is so: all, or this proxy alone. Where calls flow and nobody said so, it is for nobody in particular.
std::string scope_of(const Json& breaker) {
  if (!override_of(breaker).is_object() && text_of(breaker, "state") == "closed") return "-";
  return breaker.contains("shared") && breaker["shared"] == true ? "all" : "here";
}

std::string_view colour_of(std::string_view state) {
  if (state == "closed") return "\x1b[32m";
  return state == "open" ? "\x1b[31m" : "\x1b[33m";
}

// Bytes that begin a letter: close enough for names and states, which are ASCII.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

std::string breaker_table(const Json& page, bool colours) {
  std::vector<Line> lines{{"NAME", "STATE", "SCOPE", "ALLOWED", "MODE", "TRIPS", "SINCE", "REASON"}};
  for (const Json& each : page.is_object() && page.contains("items") ? page["items"] : Json::array()) {
    if (!each.is_object()) continue;
    lines.push_back({word_of(each, "name"), word_of(each, "state"), scope_of(each), share_of(each, "allowed"),
                     word_of(each, "mode"), number_of(each, "trips"), word_of(each, "since"), reason_of(each)});
  }
  std::array<std::size_t, kColumns> widths{};
  for (const Line& line : lines) {
    for (std::size_t i = 0; i < kColumns; ++i) widths[i] = std::max(widths[i], width(line[i]));
  }
  std::string text;
  for (const Line& line : lines) {
    std::string row;
    for (std::size_t i = 0; i < kColumns; ++i) {
      const bool coloured = colours && i == kState && &line != &lines.front();
      if (coloured) row += colour_of(line[i]);
      row += line[i];
      if (coloured) row += "\x1b[0m";
      if (i + 1 < kColumns) row.append(widths[i] - width(line[i]) + 2, ' ');
    }
    row.resize(row.find_last_not_of(' ') + 1);
    text += row + '\n';
  }
  return text;
}

std::string breaker_line(const Json& breaker) {
  const std::string reason = reason_of(breaker);
  return word_of(breaker, "name") + " is " + word_of(breaker, "state") + (reason.empty() ? "" : ": " + reason);
}

std::string event_words(const Json& event) {
  return word_of(event, "time") + ' ' + word_of(event, "subject") + ' ' + word_of(event, "what") + ": " +
         word_of(event, "why") + " (" + word_of(event, "actor") + ')';
}

}  // namespace holdfast::cli

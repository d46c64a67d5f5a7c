// Shapes: how a kind of value is read, written, described and typed. One object per kind, named in tables.h.
//
// Every shape has the same five sides, called by templates (no base class):
//   read(node, reading, value)  the node's meaning into the value, or a report
//   write(value) -> Node        what read() takes back; Kind::nothing if the key is to be left out
//   type()                      for people: "duration, 1ms to 10m"
//   schema()                    for editors: a JSON Schema fragment
//   document(reference, place)  the tables of what lies below, if anything does
// Here: single values. Sections, lists and maps: section.h. Values with a grammar of their own: values.h.
#pragma once

#include <algorithm>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/nearest.h"
#include "config/reading.h"
#include "config/tree.h"
#include "config/units.h"
#include "config/words.h"

namespace holdfast::config {

template <class T>
using Parsed = std::expected<T, std::string>;

/// JSON text: the schema of a value that may also be a variable: "${NAME}".
std::string schema_of_text(std::string_view pattern);
std::string schema_of_number(std::uint64_t min, std::uint64_t max);
std::string schema_of_words(std::span<const std::string_view> words);
std::string json_string(std::string_view text);
/// A type() without its markdown, for a message.
std::string plain(std::string type);
/// "a, b or c".
std::string enumerate(std::span<const std::string_view> words);

struct Leaf {
  void document(auto&, std::string_view) const {}
};

/// A value that stands in one scalar, read and written by two plain functions.
template <class T>
struct Scalar : Leaf {
  std::string_view name;     ///< for type()
  std::string_view pattern;  ///< a regular expression for editors; empty: any text
  Parsed<T> (*parse)(std::string_view);
  std::string (*format)(const T&);

  constexpr Scalar(std::string_view of_name, std::string_view of_pattern, Parsed<T> (*with_parse)(std::string_view),
                   std::string (*with_format)(const T&))
      : name(of_name), pattern(of_pattern), parse(with_parse), format(with_format) {}

  void read(const Node& node, Reading& reading, T& value) const {
    if (!reading.is_scalar(node, name)) return;
    Parsed<T> parsed = parse(node.text);
    if (!parsed) return reading.wrong(node.mark, parsed.error());
    value = std::move(*parsed);
  }
  Node write(const T& value) const { return Node::scalar(format(value)); }
  std::string type() const { return std::string(name); }
  std::string schema() const { return schema_of_text(pattern); }
};

/// A text that is empty unless written, and cannot be written empty.
struct TextOrNone : Leaf {
  Scalar<std::string> text;

  constexpr explicit TextOrNone(Scalar<std::string> of_text) : text(of_text) {}

  void read(const Node& node, Reading& reading, std::string& value) const { text.read(node, reading, value); }
  Node write(const std::string& value) const { return value.empty() ? Node() : text.write(value); }
  std::string type() const { return text.type(); }
  std::string schema() const { return text.schema(); }
};

/// A quantity between two bounds, both included.
template <class T>
struct Ranged : Leaf {
  std::string_view name;
  std::string_view pattern;  ///< empty: a plain number
  T min;
  T max;
  Parsed<T> (*parse)(std::string_view);
  std::string (*format)(const T&);

  constexpr Ranged(std::string_view of_name, std::string_view of_pattern, T least, T most,
                   Parsed<T> (*with_parse)(std::string_view), std::string (*with_format)(const T&))
      : name(of_name), pattern(of_pattern), min(least), max(most), parse(with_parse), format(with_format) {}

  void read(const Node& node, Reading& reading, T& value) const {
    if (!reading.is_scalar(node, name)) return;
    const Parsed<T> parsed = parse(node.text);
    if (!parsed) return reading.wrong(node.mark, parsed.error());
    if (*parsed < min || *parsed > max) {
      return reading.wrong(node.mark, node.text + " is out of range; expected " + format(min) + " to " + format(max));
    }
    value = *parsed;
  }
  Node write(const T& value) const { return Node::scalar(format(value)); }
  std::string type() const { return std::string(name) + ", " + format(min) + " to " + format(max); }
  std::string schema() const {
    if constexpr (std::is_same_v<T, unsigned>) return schema_of_number(min, max);
    return schema_of_text(pattern);
  }
};

Parsed<unsigned> parse_count(std::string_view text);
inline std::string format_count(const unsigned& number) { return std::to_string(number); }
inline std::string format_duration(const Duration& duration) { return write_duration(duration); }
inline std::string format_bytes(const std::size_t& bytes) { return write_bytes(bytes); }
inline std::string format_share(const Share& share) { return to_string(share); }

constexpr Ranged<Duration> within(Duration min, Duration max) {
  return {"duration", "^[0-9]+(ms|s|m|h)$", min, max, parse_duration, format_duration};
}
constexpr Ranged<std::size_t> bytes(std::size_t min, std::size_t max) {
  return {"size", "^[0-9]+(KiB|MiB|GiB|TiB)?$", min, max, parse_bytes, format_bytes};
}
constexpr Ranged<Share> share(Share min, Share max) {
  return {"share", "^[0-9]+(\\.[0-9]{1,2})?%$", min, max, parse_share, format_share};
}
constexpr Ranged<unsigned> count(unsigned min, unsigned max) {
  return {"number", "", min, max, parse_count, format_count};
}

/// A quantity, or one word that stands for zero.
template <class T>
struct RangedOr : Leaf {
  std::string_view word;
  Ranged<T> number;

  constexpr RangedOr(std::string_view zero, Ranged<T> otherwise) : word(zero), number(otherwise) {}

  void read(const Node& node, Reading& reading, T& value) const {
    if (node.is_scalar() && node.text == word) {
      value = T{};
    } else {
      number.read(node, reading, value);
    }
  }
  Node write(const T& value) const { return value == T{} ? Node::scalar(std::string(word)) : number.write(value); }
  std::string type() const { return '`' + std::string(word) + "` or " + number.type(); }
  std::string schema() const { return R"({"anyOf":[{"const":)" + json_string(word) + "}," + number.schema() + "]}"; }
};

constexpr RangedOr<unsigned> count_or(std::string_view zero, unsigned min, unsigned max) {
  return {zero, count(min, max)};
}
constexpr RangedOr<std::size_t> bytes_or(std::string_view zero, std::size_t min, std::size_t max) {
  return {zero, bytes(min, max)};
}

/// true or false, and no other word for them.
struct Flag : Leaf {
  void read(const Node& node, Reading& reading, bool& value) const {
    if (!reading.is_scalar(node, "true or false")) return;
    if (node.text != "true" && node.text != "false") {
      return reading.wrong(node.mark, '"' + node.text + "\" is neither true nor false; write one of them");
    }
    value = node.text == "true";
  }
  Node write(const bool& value) const { return Node::scalar(value ? "true" : "false"); }
  std::string type() const { return "`true` or `false`"; }
  std::string schema() const { return R"({"type":"boolean"})"; }
};

/// One of the words of an enumeration (words.h).
template <class E>
struct OneOf : Leaf {
  void read(const Node& node, Reading& reading, E& value) const {
    const Words<E>& words = words_of<E>();
    if (!reading.is_scalar(node, enumerate(words.names()))) return;
    if (const auto found = words.value(node.text)) {
      value = *found;
      return;
    }
    if (std::ranges::find(words.later, node.text) != words.later.end()) {
      return reading.wrong(
          node.mark, '"' + node.text + "\" is not available in this version; expected " + enumerate(words.names()));
    }
    std::string message = '"' + node.text + "\" is not known; ";
    const std::optional<std::string_view> close = nearest(node.text, words.names());
    message += close ? "did you mean \"" + std::string(*close) + "\"? " : "";
    reading.wrong(node.mark, message + "expected " + enumerate(words.names()));
  }
  Node write(const E& value) const { return Node::scalar(std::string(words_of<E>().name(value))); }
  std::string type() const {
    std::string text;
    for (const std::string_view name : words_of<E>().names())
      text += (text.empty() ? "`" : ", `") + std::string(name) + '`';
    return text;
  }
  std::string schema() const { return schema_of_words(words_of<E>().names()); }
};

}  // namespace holdfast::config

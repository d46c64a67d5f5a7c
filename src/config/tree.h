// Node: the light tree between YAML and the model. parse_tree() turns the parser's events into it, print_tree()
// writes it.
//
// The only place that knows the YAML library (docs/decisions/0002). Of YAML we take maps, lists and scalars:
// anchors, aliases, tags and further documents are refused, so that what stands in the file is what is meant, and
// nothing in it can grow. ${NAME} is replaced here, in values (not in keys), once: what the environment holds is
// never read as YAML.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/findings.h"

namespace holdfast::config {

inline constexpr std::size_t kMaxDepth = 16;
inline constexpr std::size_t kMaxNodes = 1'000'000;

struct Node {
  enum class Kind : std::uint8_t { nothing, scalar, list, map };

  Kind kind = Kind::nothing;
  bool quoted = false;  ///< in the file, or come from the environment
  Mark mark;
  std::string text;            ///< of a scalar
  std::vector<Node> children;  ///< of a list: the items; of a map: key, value, key, value …

  bool is_scalar() const { return kind == Kind::scalar; }
  bool is_list() const { return kind == Kind::list; }
  bool is_map() const { return kind == Kind::map; }

  /// `key:` with nothing after it, or null in so many words.
  bool is_null() const { return is_scalar() && !quoted && (text.empty() || text == "~" || text == "null"); }

  /// The value of a map's key; null if there is none. Linear: our maps are short, the long ones are walked.
  const Node* find(std::string_view key) const;

  static Node scalar(std::string text);
  static Node list() { return {Kind::list, false, {}, {}, {}}; }
  static Node map() { return {Kind::map, false, {}, {}, {}}; }
};

/// The file's tree, with every duplicate key, alias and unset variable reported; none if it is not YAML.
std::optional<Node> parse_tree(std::string_view text, const Environment& environment, Findings& findings);

/// YAML that parse_tree() reads back: block style, with what is short enough on a line of its own.
std::string print_tree(const Node& node);

/// The same on one line: "{ connect: 1s, idle: 60s }".
std::string print_inline(const Node& node);

}  // namespace holdfast::config

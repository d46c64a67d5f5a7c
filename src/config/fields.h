// The visitors of a section's table: FieldReader (map -> values), FieldWriter (values -> map), FieldSchema (-> JSON
// Schema).
//
// Table<T>::fields(visitor, section) shows each key once: field(key, value, shape, help), required(…), choice(…) or,
// for what the file's language has and this version has not, not_yet(key, help). reference.cc has the fourth visitor.
// So a key is written down once.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/nearest.h"
#include "config/reading.h"
#include "config/shapes.h"
#include "config/tree.h"

namespace holdfast::config {

/// Specialised in tables.h: `about`, a sentence, and fields(visitor, section).
template <class T>
struct Table;

/// Reads the fields of one map and reports the keys that no field claimed.
class FieldReader {
 public:
  FieldReader(const Node& map, Reading& reading) : map_(map), reading_(reading) {}

  void field(std::string_view key, auto& value, const auto& shape, std::string_view) { claim(key, value, shape); }

  void required(std::string_view key, auto& value, const auto& shape, std::string_view) {
    if (!claim(key, value, shape)) missing_.emplace_back(key, shape.type());
  }

  /// One of several keys of which a map has exactly one (checks.cc sees to it).
  void choice(std::string_view key, auto& value, const auto& shape, std::string_view) { claim(key, value, shape); }

  void not_yet(std::string_view key, std::string_view) {
    if (map_.find(key) == nullptr) return;
    later_.push_back(key);
  }

  void finish() {
    for (std::size_t i = 0; i + 1 < map_.children.size(); i += 2) refuse_unclaimed(map_.children[i]);
    if (!later_.empty()) return;  // what this version cannot do may stand for what is missing: `run` for `endpoints`
    for (const auto& [key, type] : missing_) {
      if (std::ranges::find(meant_, key) != meant_.end()) continue;
      reading_.wrong(map_.mark, "\"" + std::string(key) + "\" is missing; expected " + plain(type));
    }
  }

 private:
  bool claim(std::string_view key, auto& value, const auto& shape) {
    known_.push_back(key);
    const Node* node = map_.find(key);
    if (node == nullptr) return false;
    const Reading::Step step(reading_, key);
    shape.read(*node, reading_, value);
    return true;
  }

  void refuse_unclaimed(const Node& key) {
    if (std::ranges::find(known_, key.text) != known_.end()) return;
    const std::string place = reading_.place();
    const std::string where = place.empty() ? "" : " in " + place;
    if (std::ranges::find(later_, key.text) != later_.end()) {
      return reading_.say(key.mark, '"' + key.text + '"' + where + " is not available in this version; remove it");
    }
    std::string message = "unknown key \"" + key.text + '"' + where;
    const std::optional<std::string_view> close = reading_.overwhelmed() ? std::nullopt : nearest(key.text, known_);
    if (close) meant_.push_back(*close);
    message += close ? "; did you mean \"" + std::string(*close) + "\"?" : "; expected " + enumerate(known_);
    reading_.say(key.mark, std::move(message));
  }

  const Node& map_;
  Reading& reading_;
  std::vector<std::string_view> known_;
  std::vector<std::string_view> later_;
  std::vector<std::string_view> meant_;  ///< known keys that a misspelt one most likely stands for
  std::vector<std::pair<std::string_view, std::string>> missing_;
};

class FieldWriter {
 public:
  void field(std::string_view key, const auto& value, const auto& shape, std::string_view) {
    Node node = shape.write(value);
    if (node.kind == Node::Kind::nothing) return;
    map.children.push_back(Node::scalar(std::string(key)));
    map.children.push_back(std::move(node));
  }
  void required(std::string_view key, const auto& value, const auto& shape, std::string_view help) {
    field(key, value, shape, help);
  }
  void choice(std::string_view key, const auto& value, const auto& shape, std::string_view help) {
    field(key, value, shape, help);
  }
  void not_yet(std::string_view, std::string_view) {}

  Node map = Node::map();
};

/// The JSON Schema of one map.
class FieldSchema {
 public:
  void field(std::string_view key, const auto& value, const auto& shape, std::string_view help) {
    add(key, with_help(shape.schema(), help, shape.write(value)));
  }
  void required(std::string_view key, const auto&, const auto& shape, std::string_view help) {
    required_ += (required_.empty() ? "" : ",") + json_string(key);
    add(key, with_help(shape.schema(), help, Node()));
  }
  void choice(std::string_view key, const auto&, const auto& shape, std::string_view help) {
    add(key, with_help(shape.schema(), help, Node()));
  }
  void not_yet(std::string_view, std::string_view) {}

  std::string finish(std::string_view about) const {
    std::string out = R"({"type":"object","description":)" + json_string(about) + R"(,"additionalProperties":false)";
    if (!required_.empty()) out += R"(,"required":[)" + required_ + ']';
    return out + R"(,"properties":{)" + properties_ + "}}";
  }

 private:
  void add(std::string_view key, std::string_view schema) {
    properties_ += (properties_.empty() ? "" : ",") + json_string(key) + ':';
    properties_ += schema;
  }
  static std::string with_help(const std::string& schema, std::string_view help, const Node& value) {
    std::string extra = R"({"description":)" + json_string(help);
    if (value.is_scalar()) extra += R"(,"default":)" + json_string(value.text);
    return extra + ',' + schema.substr(1);
  }

  std::string properties_;
  std::string required_;
};

}  // namespace holdfast::config

// Shapes that hold others: sections (maps with fixed keys), maps by name, lists, and values that may be switched
// off.
//
// A section's keys stand in a Table<T> (tables.h), read, written and typed by the visitors of fields.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/checks.h"
#include "config/fields.h"
#include "config/names.h"
#include "config/shapes.h"

namespace holdfast::config {

/// A map with fixed keys.
template <class T>
struct Section {
  static constexpr bool kIsSection = true;

  void read(const Node& node, Reading& reading, T& value) const {
    if (!reading.is_map(node, "a map")) return;
    const std::size_t troubles = reading.troubles();
    FieldReader reader(node, reading);
    Table<T>::fields(reader, value);
    reader.finish();
    check_section(value, node, reading, reading.troubles() == troubles);
  }
  Node write(const T& value) const {
    FieldWriter writer;
    Table<T>::fields(writer, value);
    return std::move(writer.map);
  }
  std::string type() const { return "section"; }
  std::string schema() const {
    FieldSchema fields;
    const T defaults{};
    Table<T>::fields(fields, defaults);
    return fields.finish(Table<T>::about);
  }
  void document(auto& reference, std::string_view place) const { reference.template section<T>(place); }
};

/// A map from names to sections; T has a `name`.
template <class T>
struct Named {
  std::size_t most;

  void read(const Node& node, Reading& reading, std::vector<T>& values) const {
    if (!reading.is_map(node, "a map from names to sections")) return;
    const std::size_t size = node.children.size() / 2;
    if (size == 0) return reading.wrong(node.mark, "is empty; expected at least one");
    if (size > most)
      return reading.wrong(node.mark, "holds " + std::to_string(size) + " entries; at most " + std::to_string(most));
    values.reserve(size);
    for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
      const Node& key = node.children[i];
      const Reading::Step step(reading, key.text);
      if (const auto name = parse_name(key.text); !name) reading.wrong(key.mark, name.error());
      T& value = values.emplace_back();
      value.name = key.text;
      Section<T>{}.read(node.children[i + 1], reading, value);
    }
  }
  Node write(const std::vector<T>& values) const {
    if (values.empty()) return {};
    Node node = Node::map();
    for (const T& value : values) {
      node.children.push_back(Node::scalar(value.name));
      node.children.push_back(Section<T>{}.write(value));
    }
    return node;
  }
  std::string type() const { return "map from names to sections"; }
  std::string schema() const {
    return R"({"type":"object","minProperties":1,"propertyNames":{"pattern":)" + json_string(kNamePattern) +
           R"(},"additionalProperties":)" + Section<T>{}.schema() + "}";
  }
  void document(auto& reference, std::string_view place) const {
    reference.template section<T>(std::string(place) + ".NAME");
  }
};

template <class S>
struct ListOf {
  S shape;
  std::size_t least;
  std::size_t most;
  bool or_one = false;  ///< a single value stands for a list of it

  /// Every item gets its place in `values`, a wrong one too: checks.cc goes through items and values side by side.
  template <class T>
  void read(const Node& node, Reading& reading, std::vector<T>& values) const {
    values.clear();
    if (or_one && node.is_scalar() && !node.is_null()) return shape.read(node, reading, values.emplace_back());
    if (!reading.is_list(node, plain(or_one ? type() : "a " + type()))) return;
    const std::size_t size = node.children.size();
    if (size < least) return reading.wrong(node.mark, "is empty; expected at least one item: " + plain(shape.type()));
    if (size > most)
      return reading.wrong(node.mark, "holds " + std::to_string(size) + " items; at most " + std::to_string(most));
    values.resize(size);
    for (std::size_t i = 0; i < size; ++i) {
      const Reading::Step step(reading, i);
      shape.read(node.children[i], reading, values[i]);
    }
  }
  template <class T>
  Node write(const std::vector<T>& values) const {
    if (or_one && values.size() == 1) return shape.write(values.front());
    if (values.size() < least) return {};
    Node node = Node::list();
    for (const T& value : values) node.children.push_back(shape.write(value));
    return node;
  }
  std::string type() const {
    return (or_one ? shape.type() + ", or a list of them" : "list, each item: " + shape.type());
  }
  std::string schema() const {
    const std::string items = shape.schema();
    const std::string list = R"({"type":"array","minItems":)" + std::to_string(least) + R"(,"maxItems":)" +
                             std::to_string(most) + R"(,"items":)" + items + "}";
    return or_one ? R"({"anyOf":[)" + items + ',' + list + "]}" : list;
  }
  void document(auto& reference, std::string_view place) const { shape.document(reference, std::string(place) + "[]"); }
};

template <class S>
constexpr ListOf<S> list_of(S shape, std::size_t least, std::size_t most) {
  return {shape, least, most};
}
template <class S>
constexpr ListOf<S> one_or_more(S shape, std::size_t most) {
  return {shape, 1, most, true};
}

/// A value that may be left out, or switched off by the word `off`.
template <class S>
struct OrOff {
  S shape;

  template <class T>
  void read(const Node& node, Reading& reading, std::optional<T>& value) const {
    value.reset();
    if (node.is_scalar() && node.text == "off") return;
    if constexpr (requires { S::kIsSection; }) {
      if (!reading.is_map(node, "a map ({} takes the defaults) or off")) return;
    }
    shape.read(node, reading, value.emplace());
  }
  template <class T>
  Node write(const std::optional<T>& value) const {
    return value ? shape.write(*value) : Node::scalar("off");
  }
  std::string type() const { return shape.type() + " or `off`"; }
  // YAML 1.1 readers, some editors among them, take a bare off for false.
  std::string schema() const { return R"({"anyOf":[{"enum":["off",false]},)" + shape.schema() + "]}"; }
  void document(auto& reference, std::string_view place) const { shape.document(reference, place); }
};

template <class S>
constexpr OrOff<S> or_off(S shape) {
  return {shape};
}

/// A section that is simply not there by default.
template <class T>
struct Maybe {
  void read(const Node& node, Reading& reading, std::optional<T>& value) const {
    Section<T>{}.read(node, reading, value.emplace());
  }
  Node write(const std::optional<T>& value) const { return value ? Section<T>{}.write(*value) : Node(); }
  std::string type() const { return Section<T>{}.type(); }
  std::string schema() const { return Section<T>{}.schema(); }
  void document(auto& reference, std::string_view place) const { reference.template section<T>(place); }
};

}  // namespace holdfast::config

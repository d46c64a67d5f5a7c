// The fields of a head, in the order received. The list keeps its memory from one message to the next.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "http/name.h"

namespace holdfast::http {

/// One field. The views point into the buffer the head was parsed from.
struct Field {
  std::string_view name = {};
  std::string_view value = {};  ///< without white space around it
  Name id = Name::other;
  bool end_to_end = true;  ///< false: a writer leaves it out. Set it to take a field out of a message.
  bool verbatim = false;   ///< the buffer holds exactly "name: value\r\n"; only the parser may say so
};

class FieldList {
 public:
  void clear() {
    fields_.clear();
    present_ = {};
  }
  void add(const Field& field) {
    fields_.push_back(field);
    present_.add(field.id);
  }
  bool has(Name name) const { return present_.has(name); }

  /// The first field of that name; null if there is none.
  /// Requires: name is not Name::other.
  const Field* find(Name name) const {
    if (!has(name)) return nullptr;
    for (const Field& field : fields_) {
      if (field.id == name) return &field;
    }
    return nullptr;
  }
  /// The first field of that name, compared without regard to case.
  const Field* find(std::string_view name) const;

  std::size_t size() const { return fields_.size(); }
  bool empty() const { return fields_.empty(); }
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }
  auto begin() { return fields_.begin(); }
  auto end() { return fields_.end(); }
  const Field& operator[](std::size_t index) const { return fields_[index]; }

 private:
  std::vector<Field> fields_;
  NameSet present_;
};

}  // namespace holdfast::http

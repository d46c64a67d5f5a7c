#include "http/field_list.h"

#include "base/text.h"

namespace holdfast::http {

const Field* FieldList::find(std::string_view name) const {
  const Name id = name_of(name);
  if (id != Name::other) return find(id);
  for (const Field& field : fields_) {
    if (field.id == Name::other && iequals(field.name, name)) return &field;
  }
  return nullptr;
}

}  // namespace holdfast::http

// docs/configuration.md out of the tables: the fourth visitor. One table per section, in the order in which they are
// met.
#include <string>
#include <string_view>

#include "config/load.h"
#include "config/tables.h"

namespace holdfast::config {
namespace {

constexpr std::string_view kIntroduction = R"(# The file: every key

Made from src/config/tables.h and the defaults in src/config/model.h; do not edit it by hand.

- Durations: `250ms`, `5s`, `10m`, `1h`. Sizes: `512` (bytes), `16KiB`, `1MiB`. Shares: `50%`, `12.5%`. A bare number where a unit is
  needed is an error.
- Listeners and services are maps from a name to a section. Names: small letters, digits and `-`, a letter first, at most 63.
- `${NAME}` in a value is replaced from the environment, once; an unset variable is an error. `$${` stands for `${`.
- Of YAML the file takes maps, lists and scalars, in one document. Anchors, aliases and tags are refused; no key stands twice.
- All problems of a file are reported in one go, each with line, column and remedy.
)";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

class Document {
 public:
  std::string text{kIntroduction};

  template <class T>
  void section(std::string_view place);

  void row(std::string_view key, std::string_view type, std::string_view standard, std::string_view help) {
    text += "| `" + std::string(key) + "` | " + escaped(type) + " | " + std::string(standard) + " | " + escaped(help) +
            " |\n";
  }
};

/// The rows of one section's table.
class FieldRows {
 public:
  explicit FieldRows(Document& document) : document_(document) {}

  void field(std::string_view key, const auto& value, const auto& shape, std::string_view help) {
    const Node node = shape.write(value);
    std::string standard = "—";
    if (node.is_scalar() || node.is_list()) standard = '`' + print_inline(node) + '`';
    if (node.is_map()) standard = "section below";
    document_.row(key, shape.type(), standard, help);
  }
  void required(std::string_view key, const auto&, const auto& shape, std::string_view help) {
    document_.row(key, shape.type(), "**required**", help);
  }
  void choice(std::string_view key, const auto&, const auto& shape, std::string_view help) {
    document_.row(key, shape.type(), "**one of them**", help);
  }
  void not_yet(std::string_view key, std::string_view help) {
    document_.row(key, "—", "—", std::string(help) + " (not available in this version)");
  }

 private:
  Document& document_;
};

/// The tables of what lies below a section.
class FieldSections {
 public:
  FieldSections(Document& document, std::string_view place) : document_(document), place_(place) {}

  void field(std::string_view key, const auto&, const auto& shape, std::string_view) {
    shape.document(document_, place_.empty() ? std::string(key) : place_ + '.' + std::string(key));
  }
  void required(std::string_view key, const auto& value, const auto& shape, std::string_view help) {
    field(key, value, shape, help);
  }
  void choice(std::string_view key, const auto& value, const auto& shape, std::string_view help) {
    field(key, value, shape, help);
  }
  void not_yet(std::string_view, std::string_view) {}

 private:
  Document& document_;
  std::string place_;
};

template <class T>
void Document::section(std::string_view place) {
  text += "\n## " + (place.empty() ? std::string("The whole file") : '`' + std::string(place) + '`') + '\n';
  if (!place.empty()) text += std::string(Table<T>::about) + "\n";
  text += "\n| key | type | default | meaning |\n|---|---|---|---|\n";
  const T defaults{};
  FieldRows rows(*this);
  Table<T>::fields(rows, defaults);
  FieldSections below(*this, place);
  Table<T>::fields(below, defaults);
}

}  // namespace

std::string reference_markdown() {
  Document document;
  document.section<Model>("");
  return std::move(document.text);
}

}  // namespace holdfast::config

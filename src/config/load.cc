#include "config/load.h"

#include <algorithm>

#include "config/checks.h"
#include "config/reading.h"
#include "config/tables.h"
#include "config/tree.h"

namespace holdfast::config {

const Service* find_service(const Model& model, std::string_view name) {
  const auto found = std::ranges::find(model.services, name, &Service::name);
  return found == model.services.end() ? nullptr : &*found;
}

std::expected<Model, Problems> load(std::string_view text, const Environment& environment) {
  Findings findings;
  Model model;
  if (text.size() > kMaxFileBytes) {
    findings.add({}, "the file is larger than " + write_bytes(kMaxFileBytes));
    return std::unexpected(findings.take());
  }
  const std::optional<Node> root = parse_tree(text, environment, findings);
  if (!root) return std::unexpected(findings.take());

  Reading reading(findings);
  if (root->kind == Node::Kind::nothing || root->is_null()) {
    findings.add({}, "the file is empty; it needs at least listeners");
  } else {
    Section<Model>{}.read(*root, reading, model);
    check_model(model, reading);
  }
  if (!findings.empty()) return std::unexpected(findings.take());
  return model;
}

std::string explain(const Model& model) { return print_tree(Section<Model>{}.write(model)); }

std::string schema() {
  const std::string root = Section<Model>{}.schema();
  return R"({"$schema":"https://json-schema.org/draft/2020-12/schema","title":"holdfast.yaml",)" + root.substr(1) +
         '\n';
}

}  // namespace holdfast::config

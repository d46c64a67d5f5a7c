#include "config/load.h"

#include <algorithm>

#include "config/checks.h"
#include "config/reading.h"
#include "config/tables.h"
#include "config/tree.h"

namespace holdfast::config {
namespace {

Node* value_of(Node& map, std::string_view key) {
  for (std::size_t i = 0; i + 1 < map.children.size(); i += 2) {
    if (map.children[i].text == key) return &map.children[i + 1];
  }
  return nullptr;
}

// `shared: true` is refused where there is no cluster, and means nothing.
void leave_out_sharing(Node& tree) {
  Node* const services = value_of(tree, "services");
  if (services == nullptr) return;
  for (std::size_t i = 1; i < services->children.size(); i += 2) {
    Node* const breaker = value_of(services->children[i], "breaker");
    if (breaker == nullptr || !breaker->is_map()) continue;
    const Node* const shared = value_of(*breaker, "shared");
    if (shared == nullptr || shared->text != "true") continue;
    const auto at = breaker->children.begin() + (shared - breaker->children.data());
    breaker->children.erase(at - 1, at + 1);
  }
}

}  // namespace

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

std::string explain(const Model& model) {
  Node tree = Section<Model>{}.write(model);
  if (!model.cluster) leave_out_sharing(tree);
  return print_tree(tree);
}

std::string schema() {
  const std::string root = Section<Model>{}.schema();
  return R"({"$schema":"https://json-schema.org/draft/2020-12/schema","title":"holdfast.yaml",)" + root.substr(1) +
         '\n';
}

}  // namespace holdfast::config

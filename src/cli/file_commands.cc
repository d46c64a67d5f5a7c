// Commands that only look: check, schema, reference, version.
#include <cstdio>
#include <string>

#include "cli/commands.h"
#include "cli/file.h"
#include "config/load.h"

namespace holdfast::cli {

int check_file(const std::string& file, bool explain) {
  const std::optional<config::Model> model = read_model(file);
  if (!model) return 1;
  if (explain) std::fputs(config::explain(*model).c_str(), stdout);
  return 0;
}

int print_schema() {
  std::puts(config::schema().c_str());
  return 0;
}

int print_reference() {
  std::fputs(config::reference_markdown().c_str(), stdout);
  return 0;
}

int print_version() {
  std::puts("holdfast " HOLDFAST_VERSION);
  return 0;
}

}  // namespace holdfast::cli

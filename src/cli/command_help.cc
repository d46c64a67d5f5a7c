#include "cli/command_help.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "config/nearest.h"

namespace holdfast::cli {
namespace {

std::string enumerate(const std::vector<std::string_view>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i != 0) text += i + 1 == words.size() ? " and " : ", ";
    text += words[i];
  }
  return text;
}

}  // namespace

std::optional<std::string> unknown_command(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  if (at->get_require_subcommand_min() == 0) return std::nullopt;
  // What a command does not understand goes to the one above where it falls through.
  const std::vector<std::string> left = app.remaining(true);
  const auto word = std::ranges::find_if(left, [](const std::string& each) { return !each.starts_with('-'); });
  if (word == left.end()) return std::nullopt;
  std::vector<std::string> names;
  for (const CLI::App* command : at->get_subcommands({})) names.push_back(command->get_name());
  const std::vector<std::string_view> known(names.begin(), names.end());
  const std::optional<std::string_view> near = config::nearest(*word, known);
  std::string text = at == &app ? "holdfast" : "holdfast " + at->get_name();
  text += ": there is no command \"" + *word + "\"; ";
  text += near ? "did you mean " + std::string(*near) + '?' : "there are " + enumerate(known);
  return text;
}

void show_inherited_options(CLI::App& above) {
  const CLI::Formatter formatter;
  std::string text = "Options of " + above.get_name() + ":\n";
  for (const CLI::Option* option : above.get_options()) {
    if (option != above.get_help_ptr()) text += formatter.make_option(option, false);
  }
  for (CLI::App* command : above.get_subcommands([](const CLI::App*) { return true; })) command->footer(text);
}

}  // namespace holdfast::cli

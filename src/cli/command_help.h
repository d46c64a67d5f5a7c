// What CLI11 does not say by itself: which word is no command, and the options that a command has from the one above
// it.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

namespace holdfast::cli {

/// After a parse that failed: the word where a command should stand and none is, with a near one, as a line for people.
/// None if that is not what was wrong.
std::optional<std::string> unknown_command(const CLI::App& app);

/// Shows the options of the command above in the help of each command below it: they may stand behind it, too.
/// Requires: `above` falls through, and has all its options and commands.
void show_inherited_options(CLI::App& above);

}  // namespace holdfast::cli

// Completion scripts for shells, made from the commands and options themselves, so that nothing can be forgotten.
//
// What is completed: commands, options, the words that an option or argument may be, and files where one is wanted: an
// argument FILE, an option --file.
#pragma once

#include <CLI/CLI.hpp>
#include <array>
#include <string>
#include <string_view>

namespace holdfast::cli {

inline constexpr std::array kShells{"bash", "zsh", "fish"};

/// Requires: `shell` is one of kShells.
std::string completion_script(const CLI::App& app, std::string_view shell);

}  // namespace holdfast::cli

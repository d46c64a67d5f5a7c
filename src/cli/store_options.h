// The words of `holdfast store …`.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace holdfast::cli {

/// Adds the command to `app`; when it is what was asked for, `chosen` becomes what runs it.
void add_store_command(CLI::App& app, std::function<int()>& chosen);

}  // namespace holdfast::cli

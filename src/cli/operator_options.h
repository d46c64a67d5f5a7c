// The words of `holdfast breakers`, `holdfast breaker …` and `holdfast events`.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace holdfast::cli {

/// Adds the commands to `app`; when one of them is what was asked for, `chosen` becomes what runs it.
void add_operator_commands(CLI::App& app, std::function<int()>& chosen);

}  // namespace holdfast::cli

// ${NAME} in a scalar becomes the environment's value; $${ stands for the text ${ itself.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "config/load.h"

namespace holdfast::config {

/// Errors: words that name the variable and the remedy.
std::expected<std::string, std::string> substitute(std::string_view text, const Environment& environment);

/// The text that substitute() turns back into `text`.
std::string escape_substitution(std::string_view text);

}  // namespace holdfast::config

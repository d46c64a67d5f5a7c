// The configuration file as commands read it: from disk, with the environment, its problems told on stderr.
#pragma once

#include <optional>
#include <string>

#include "config/model.h"

namespace holdfast::cli {

/// None after the problems (or why the file cannot be read) were printed to stderr.
std::optional<config::Model> read_model(const std::string& file);

/// What tells one state of a file from another: who it is, how large, when written. Empty when it is not there.
std::string fingerprint(const std::string& file);

}  // namespace holdfast::cli

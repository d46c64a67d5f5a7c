// For the tests of this floor: an environment, and loading in a line.
#pragma once

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <map>
#include <string>
#include <string_view>

#include "config/load.h"

namespace holdfast::config {

inline Environment test_environment() {
  return [](std::string_view name) -> std::optional<std::string> {
    static const std::map<std::string, std::string, std::less<>> variables{
        {"PORT", "8080"}, {"EMPTY", ""}, {"TRICKY", "127.0.0.1:80 # { a: b }"}};
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

inline std::filesystem::path testdata(std::string_view name) {
  return std::filesystem::path(HOLDFAST_CONFIG_TESTDATA) / name;
}

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// "line:column: message" of every problem, one a line; empty if the file is right.
inline std::string problems_of(std::string_view text, std::string_view file = "f") {
  const auto loaded = load(text, test_environment());
  std::string out;
  if (loaded) return out;
  for (const Problem& problem : loaded.error()) out += to_string(file, problem) + '\n';
  return out;
}

/// The smallest file, with room for what a test is about.
inline std::string file_with(std::string_view in_listener, std::string_view in_service = "",
                             std::string_view at_top = "") {
  std::string text(at_top);
  text += "\nlisteners:\n  web:\n    bind: 127.0.0.1:0\n    routes: [{ service: feed }]\n    ";
  text += in_listener;
  text += "\nservices:\n  feed:\n    endpoints: [10.0.0.1:80]\n    ";
  text += in_service;
  return text + '\n';
}

}  // namespace holdfast::config

// load(): the text of a holdfast.yaml -> a Model, or every problem of the file at once. Start reading here.
//
// Pure: reading the file and the environment is the caller's. text -> tree.h (YAML events into a light tree, ${ENV}
// replaced) -> tables.h (keys, ranges, help; one table per section) -> read.h (a section's values) -> check.h (what
// must hold across sections). explain(), schema() and reference_markdown() walk the same tables, so they cannot
// drift apart.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"

namespace holdfast::config {

/// A file larger than this is refused unread; `text` beyond it is never looked at.
inline constexpr std::size_t kMaxFileBytes = 16 * kMiB;

/// The value of an environment variable; none if it is unset.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

/// One thing wrong: where (counted from 1), and words with what was expected and the remedy.
struct Problem {
  unsigned line = 1;
  unsigned column = 1;
  std::string message;

  bool operator==(const Problem&) const = default;
};

/// In the order of the file; at most kMaxProblems, the last then says how many more there are.
using Problems = std::vector<Problem>;
inline constexpr std::size_t kMaxProblems = 50;

std::expected<Model, Problems> load(std::string_view text, const Environment& environment);

/// "holdfast.yaml:12:5: unknown key \"blance\" in services.feed; did you mean \"balance\"?"
std::string to_string(std::string_view file, const Problem& problem);

/// The file with every default filled in: YAML that load() reads back into an equal Model.
std::string explain(const Model& model);

/// The file's JSON Schema (draft 2020-12), for editors.
std::string schema();

/// docs/configuration.md: one table per section.
std::string reference_markdown();

}  // namespace holdfast::config

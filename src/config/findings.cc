#include "config/findings.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace holdfast::config {

void Findings::add(Mark mark, std::string message) {
  ++met_;
  if (kept_.size() < kKept) kept_.push_back({mark.line, mark.column, std::move(message)});
}

Problems Findings::take() {
  std::ranges::stable_sort(kept_, {}, [](const Problem& p) { return std::tuple(p.line, p.column); });
  if (met_ > kMaxProblems) {
    kept_.resize(kMaxProblems);
    const std::size_t untold = met_ - (kMaxProblems - 1);
    kept_.back().message = "and " + std::to_string(untold) + " more problems from here on; mend these first";
  }
  met_ = 0;
  return std::exchange(kept_, {});
}

std::string to_string(std::string_view file, const Problem& problem) {
  std::string line(file);
  line += ':' + std::to_string(problem.line) + ':' + std::to_string(problem.column) + ": " + problem.message;
  return line;
}

}  // namespace holdfast::config

// Findings: the problems of one file as they are met, and where they stand. All of them are told in one go.
#pragma once

#include <cstddef>
#include <string>

#include "config/load.h"

namespace holdfast::config {

/// A place in the file, counted from 1.
struct Mark {
  unsigned line = 1;
  unsigned column = 1;
};

class Findings {
 public:
  void add(Mark mark, std::string message);
  bool empty() const { return met_ == 0; }
  std::size_t size() const { return met_; }

  /// In the order of the file, cut to kMaxProblems; the last one then counts the rest.
  Problems take();

 private:
  static constexpr std::size_t kKept = 10'000;  ///< what is met beyond these is only counted

  Problems kept_;
  std::size_t met_ = 0;
};

}  // namespace holdfast::config

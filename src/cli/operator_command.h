// `holdfast breakers`, `holdfast breaker …`, `holdfast events`: what an operator sees of a running holdfast, and says
// to it.
#pragma once

#include <cstdint>
#include <string>

namespace holdfast::cli {

struct OperatorOptions {
  enum class Action : unsigned char { breakers, breaker, events };
  Action action = Action::breakers;
  std::string admin{};  ///< empty: found by find_admin()
  bool json = false;
  bool follow = false;        ///< breakers, events: go on until it is interrupted
  std::uint64_t limit = 100;  ///< events

  // breaker
  std::string name{};
  std::string state{};  ///< open, closed or auto
  std::string reason{};
  std::string actor{};    ///< empty: user@host
  std::string lasting{};  ///< a duration; empty: until it is taken back
};

/// 0 done, 1 refused or failed.
int run_operator(const OperatorOptions& options);

}  // namespace holdfast::cli

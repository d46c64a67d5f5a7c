#include "breaker/judge.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace holdfast::breaker {
namespace {

/// How many standard deviations the newest calls must lie above the threshold. At 4 one look in 30,000 errs for each
/// rate at the threshold itself; an ordinary rate lies far below it, where nobody lives to see it.
constexpr double kDeviations = 4;

/// So many bad calls that the callee is bad.
struct Proof {
  std::uint64_t bad = 0;
  std::uint64_t of = 0;
  bool newest = false;  ///< the newest calls alone, not all of the window
};

bool is_too_many(std::uint64_t bad, std::uint64_t of, unsigned percent) { return bad * 100 >= percent * of; }

/// Whether one kind of bad calls is too many of a window.
std::optional<Proof> prove(const Window& window, std::uint64_t Tally::* kind, unsigned percent) {
  const Tally& sum = window.sum();
  if (sum.*kind == 0) return std::nullopt;  // as nearly always
  if (is_too_many(sum.*kind, sum.calls, percent)) return Proof{std::min(sum.*kind, sum.calls), sum.calls};
  std::optional<Proof> proof;
  window.any_recent([&](const Tally& recent) {
    const std::uint64_t bad = std::min(recent.*kind, recent.calls);
    // The bound lies below the rate itself, which costs no root.
    if (!is_too_many(bad, recent.calls, percent) || lower_bound(bad, recent.calls) * 100 < percent) return false;
    proof = Proof{bad, recent.calls, true};
    return true;
  });
  return proof;
}

std::string in_words(const Proof& proof) {
  return std::to_string(proof.bad) + (proof.newest ? " of the newest " : " of ") + std::to_string(proof.of) + " calls ";
}

}  // namespace

std::string_view to_string(Opinion opinion) {
  switch (opinion) {
    case Opinion::good: return "good";
    case Opinion::bad: return "bad";
    case Opinion::none: return "none";
  }
  return "unknown";
}

double lower_bound(std::uint64_t hits, std::uint64_t of) {
  if (of == 0) return 0;
  const auto n = static_cast<double>(of);
  const double rate = static_cast<double>(hits) / n;
  const double square = kDeviations * kDeviations;
  const double spread = kDeviations * std::sqrt((rate * (1 - rate) + square / (4 * n)) / n);
  return std::max(0.0, (rate + square / (2 * n) - spread) / (1 + square / n));
}

Verdict judge(const Settings& settings, const Window& window, unsigned failures_in_a_row) {
  if (settings.consecutive_failures != 0 && failures_in_a_row >= settings.consecutive_failures) {
    return {Opinion::bad, std::to_string(failures_in_a_row) + " calls in a row failed"};
  }
  const Tally& sum = window.sum();
  if (sum.calls < std::max(settings.minimum_requests, 1U)) return {Opinion::none, "too few calls to say"};
  if (const std::optional<Proof> failed = prove(window, &Tally::failures, settings.failure_percent)) {
    return {Opinion::bad, in_words(*failed) + "failed"};
  }
  if (const std::optional<Proof> slow = prove(window, &Tally::slow, settings.slow_percent)) {
    return {Opinion::bad, in_words(*slow) + "took longer than " + in_words(settings.slow_call)};
  }
  return {Opinion::good, {}};
}

}  // namespace holdfast::breaker

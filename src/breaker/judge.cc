#include "breaker/judge.h"

#include <algorithm>
#include <cmath>

namespace holdfast::breaker {
namespace {

/// How many standard deviations the newest calls must lie above the threshold. At 4 one look in 30,000 errs for each
/// rate at the threshold itself; an ordinary rate lies far below it, where nobody lives to see it.
constexpr double kDeviations = 4;

/// One kind of bad calls: how many of a tally, from which share on they are too many, and in words.
struct Kind {
  std::uint64_t Tally::* hits;
  unsigned percent;
  std::string words;
};

bool is_too_many(const Kind& kind, const Tally& calls) { return calls.*kind.hits * 100 >= kind.percent * calls.calls; }

Verdict judge_kind(const Window& window, const Kind& kind) {
  const Tally& sum = window.sum();
  if (is_too_many(kind, sum)) {
    const std::uint64_t hits = std::min(sum.*kind.hits, sum.calls);
    return {Opinion::bad, std::to_string(hits) + " of " + std::to_string(sum.calls) + " calls " + kind.words};
  }
  Verdict verdict{Opinion::good, {}};
  window.any_recent([&](const Tally& recent) {
    const std::uint64_t hits = std::min(recent.*kind.hits, recent.calls);
    if (lower_bound(hits, recent.calls) * 100 < kind.percent) return false;
    const std::string newest = std::to_string(recent.calls);
    verdict = {Opinion::bad, std::to_string(hits) + " of the newest " + newest + " calls " + kind.words};
    return true;
  });
  return verdict;
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
  const Kind failed{&Tally::failures, settings.failure_percent, "failed"};
  const Kind slow{&Tally::slow, settings.slow_percent, "took longer than " + in_words(settings.slow_call)};
  Verdict verdict = judge_kind(window, failed);
  if (verdict.opinion != Opinion::bad) verdict = judge_kind(window, slow);
  return verdict;
}

}  // namespace holdfast::breaker

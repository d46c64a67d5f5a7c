#include "balance/concurrency_limit.h"

#include <algorithm>

#include "base/check.h"

namespace holdfast::balance {
namespace {

/// The usual time is an exponential average of about so many answers, and a plain one of the first few.
constexpr double kLongWindow = 600;
constexpr unsigned kWarmUp = 10;
/// An answer may take this many times as long as usual before it tells of a queue.
constexpr double kTolerance = 1.5;
/// What was usual falls faster when answers have become more than this many times faster: load is gone.
constexpr double kDrift = 2;
constexpr double kDriftStep = 0.95;
/// So many may always queue.
constexpr double kQueue = 4;
constexpr double kSmoothing = 0.2;
constexpr double kSteepest = 0.5;

}  // namespace

bool ConcurrencyLimit::try_enter() {
  if (in_flight_ >= limit()) return false;
  ++in_flight_;
  return true;
}

void ConcurrencyLimit::leave(Duration took, bool dropped) {
  check(in_flight_ > 0, "who leaves has entered");
  learn(took, dropped);
  --in_flight_;
}

void ConcurrencyLimit::leave_unmeasured() {
  check(in_flight_ > 0, "who leaves has entered");
  --in_flight_;
}

void ConcurrencyLimit::adopt(const ConcurrencyLimit& before) {
  estimate_ = before.estimate_;
  usual_ = before.usual_;
  samples_ = before.samples_;
  show();
}

void ConcurrencyLimit::learn(Duration took, bool dropped) {
  const double slope = dropped ? kSteepest : gradient(took);
  if (in_flight_ < estimate_ / 2) return;
  const double next = estimate_ * slope + kQueue;
  estimate_ = std::clamp(estimate_ * (1 - kSmoothing) + next * kSmoothing, kConcurrencyMin, kConcurrencyMax);
  show();
}

double ConcurrencyLimit::gradient(Duration took) {
  const auto now = std::max(static_cast<double>(took.count()), 1.0);
  samples_ = std::min(samples_ + 1, kWarmUp + 1);
  const double weight = samples_ <= kWarmUp ? 1.0 / samples_ : 2 / (kLongWindow + 1);
  usual_ += (now - usual_) * weight;
  const double slope = std::clamp(kTolerance * usual_ / now, kSteepest, 1.0);
  if (usual_ / now > kDrift) usual_ *= kDriftStep;
  return slope;
}

void ConcurrencyLimit::show() { shown_.add(static_cast<std::uint64_t>(estimate_) - shown_.get()); }

std::string ConcurrencyLimit::validate() const {
  if (estimate_ < kConcurrencyMin) return "the limit is not below the least";
  if (estimate_ > kConcurrencyMax) return "the limit is not above the most";
  if (limit() != static_cast<unsigned>(estimate_)) return "what shows is the limit";
  if (usual_ < 0) return "answers take time";
  return {};
}

std::string ConcurrencyLimit::describe() const {
  return std::to_string(in_flight_) + " of " + std::to_string(limit()) + " under way, answers usually take " +
         std::to_string(static_cast<std::int64_t>(usual_ / 1e3)) + "us";
}

}  // namespace holdfast::balance

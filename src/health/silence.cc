#include "health/silence.h"

#include <algorithm>

namespace holdfast::health {
namespace {

constexpr int kTimesUsual = 16;
constexpr Duration kLeast = 100ms;
constexpr Duration kMost = 2s;

}  // namespace

Duration patience(Duration usual) { return std::clamp(usual * kTimesUsual, kLeast, kMost); }

bool is_silent(const Silence& silence) {
  return silence.heard <= silence.asked && silence.newest_answered > silence.asked;
}

}  // namespace holdfast::health

#include "health/silence.h"

#include <algorithm>

namespace holdfast::health {
namespace {

constexpr int kTimesUsual = 16;
constexpr Duration kLeast = 100ms;
constexpr Duration kMost = 2s;
constexpr std::uint32_t kWitnesses = 3;  // fewer may all be slow

}  // namespace

Duration patience(Duration usual) { return std::clamp(usual * kTimesUsual, kLeast, kMost); }

bool is_silent(const Silence& silence, Duration patience, Instant now) {
  const Instant since = std::max(silence.asked, silence.heard);
  return silence.unanswered >= kWitnesses && now - since >= patience && silence.newest_answered > since;
}

}  // namespace holdfast::health

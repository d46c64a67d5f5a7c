#include "breaker/settings.h"

namespace holdfast::breaker {

std::string_view to_string(Mode mode) {
  switch (mode) {
    case Mode::enforce: return "enforce";
    case Mode::observe: return "observe";
    case Mode::off: return "off";
  }
  return "unknown";
}

std::string in_words(Duration duration) {
  if (duration % 1s == Duration::zero()) return std::to_string(duration / 1s) + "s";
  if (duration % 1ms == Duration::zero() || duration > 1s) return std::to_string(duration / 1ms) + "ms";
  return std::to_string(duration / 1us) + "us";
}

}  // namespace holdfast::breaker

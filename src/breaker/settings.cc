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

}  // namespace holdfast::breaker

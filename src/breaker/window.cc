#include "breaker/window.h"

namespace holdfast::breaker {

void Window::add(const Tally& calls, Instant now) {
  advance(now);
  at(newest_) += calls;
  sum_ += calls;
}

void Window::advance(Instant now) {
  const std::int64_t slice_now = now.time_since_epoch() / slice();
  if (slice_now <= newest_) return;
  if (slice_now - newest_ >= static_cast<std::int64_t>(kSlices)) {
    clear();
    newest_ = slice_now;
    return;
  }
  while (newest_ < slice_now) {
    // The one that comes takes the place of the one that has become too old.
    Tally& oldest = at(++newest_);
    sum_ -= oldest;
    oldest = Tally{};
  }
}

void Window::clear() {
  slices_.fill(Tally{});
  sum_ = Tally{};
}

void Window::set_length(Duration length) {
  clear();
  length_ = length;
  newest_ = 0;
}

std::string Window::validate() const {
  Tally sum;
  for (const Tally& slice : slices_) sum += slice;
  if (sum != sum_) return "the sum is that of the slices";
  if (newest_ < 0) return "time begins at nought";
  if (length_ <= Duration::zero()) return "a window has a length";
  return {};
}

std::string Window::describe() const {
  return std::to_string(sum_.calls) + " calls, " + std::to_string(sum_.failures) + " failures (" +
         std::to_string(sum_.unreachable) + " unreachable), " + std::to_string(sum_.slow) + " slow, " +
         std::to_string(sum_.refused) + " refused";
}

}  // namespace holdfast::breaker

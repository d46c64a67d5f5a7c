#include "io/stop.h"

#include "io/loop.h"
#include "io/signal.h"

namespace holdfast::io {

void Stop::request() {
  if (requested_) return;
  requested_ = true;
  for (const std::function<void()>& hook : hooks_) hook();
}

Stop::Hook::Hook(Stop& stop, std::function<void()> hook)
    : stop_(&stop), place_(stop.hooks_.insert(stop.hooks_.end(), std::move(hook))) {
  if (stop.requested_) (*place_)();
}

Stop::Hook::~Hook() { stop_->hooks_.erase(place_); }

Task<> sleep_until(Ref<Loop> loop, Instant until, Ref<Stop> stop) {
  Signal alarm(*loop);
  const Stop::Hook wake(*stop, [&alarm] { alarm.notify(); });
  co_await alarm.wait(until);
}

}  // namespace holdfast::io

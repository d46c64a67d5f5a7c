#include "cli/drain.h"

#include <algorithm>

#include "cli/registry.h"
#include "io/supervisor.h"

namespace holdfast::cli {
namespace {

/// How long connections without a request under way may still bring one when nobody serves after us: those in use do so
/// at once, and nobody wants to wait for the others.
constexpr Duration kGraceForIdle = 1s;

io::Task<> drain(Ref<Control> control, Departure departure) {
  const bool taken_over = departure == Departure::taken_over;
  const Duration grace = taken_over ? Duration::max() : kGraceForIdle;
  // What is asked, and ordered, at our address from now on is the business of who serves there after us.
  if (taken_over) co_await close_admin(control, std::move(control->admin));
  const Instant now = control->loop.now();
  const Duration patience = control->proxy.snapshot()->model.proxy.drain_timeout;
  co_await control->proxy.drain(now + patience, now + std::min(patience, grace));
  co_await close_admin(control, std::move(control->admin));  // until here it says that we drain
  control->signals.cancel();
  co_await control->names.idle(kNever);
  co_await leave_store(control);
  control->loop.stop();
}

}  // namespace

void begin_drain(Control& control, Departure departure) {
  if (control.stop.requested()) return;
  const bool taken_over = departure == Departure::taken_over;
  say(taken_over ? "draining: taken over" : "draining");
  if (taken_over) {
    control.proxy.leave_addresses();
  } else {
    io::tell_supervisor("STOPPING=1");
  }
  control.stop.request();
  if (control.admin != nullptr) control.admin->end_waiting();
  control.change.notify();
  control.names.stop();
  control.tasks.add(drain(control, departure));
}

}  // namespace holdfast::cli

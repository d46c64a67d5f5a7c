// `holdfast proxy FILE`: the control loop around the data plane and the admin API, from start to end. Signals say what
// to do next: SIGTERM and SIGINT drain (a second one ends at once), SIGHUP reloads (reload.h), SIGUSR1 reopens the log.
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <string>

#include "cli/commands.h"
#include "cli/control.h"
#include "cli/file.h"
#include "cli/reload.h"
#include "config/host_names.h"

namespace holdfast::cli {
namespace {

/// How long connections without a request under way may still bring one when we end: those in use do so at once, and
/// nobody wants to wait for the others.
constexpr Duration kGraceForIdle = 1s;

io::Task<> drain(Ref<Control> control) {
  control->stop.request();
  control->change.notify();
  control->names.stop();
  const Instant now = control->loop.now();
  const Duration patience = control->proxy.snapshot()->model.proxy.drain_timeout;
  co_await control->proxy.drain(now + patience, now + std::min(patience, kGraceForIdle));
  co_await close_admin(control, std::move(control->admin));  // until here it says that we drain
  control->signals.cancel();
  co_await control->names.idle(kNever);
  control->loop.stop();
}

io::Task<> obey_signals(Ref<Control> control) {
  while (true) {
    const int number = co_await control->signals.next();
    const bool draining = control->stop.requested();
    switch (number) {
      case 0: co_return;
      case SIGHUP:
        if (draining) say("reload refused: draining");
        control->file_changed = true;
        control->change.notify();
        break;
      case SIGUSR1: control->proxy.reopen_log(); break;
      default:
        if (draining) std::_Exit(1);  // asked twice: at once
        say("draining");
        control->tasks.add(drain(control));
    }
  }
}

// Nothing is served before everything is bound; nothing runs when anything is refused.
Result<> open_everything(Control& control) {
  Result<std::unique_ptr<admin::Server>> admin = open_admin(control, control.asked);
  if (!admin) return pass(admin, "start");
  Result<> started = control.proxy.start(config::with_addresses(control.asked, control.names.known()));
  if (!started) return started;
  control.admin = std::move(*admin);
  if (control.admin != nullptr) control.admin->start();
  return {};
}

io::Task<> live(Ref<Control> control, std::string read) {
  control->names.follow(config::host_names(control->asked));
  co_await control->names.asked_once(control->loop.now() + kPatienceWithNames);
  const Result<> opened = open_everything(*control);
  if (!opened) {
    say("holdfast: " + opened.error().what);
    control->exit_status = 1;
    control->names.stop();
    co_await control->names.idle(kNever);
    control->loop.stop();
    co_return;
  }
  say_bound(*control);
  say("ready");
  control->tasks.add(watch_file(control, std::move(read)));
  control->tasks.add(apply_changes(control));
  control->tasks.add(obey_signals(control));
}

}  // namespace

int run_proxy(ProxyOptions options) {
  io::ignore_broken_pipes();
  io::block_signals({SIGTERM, SIGINT, SIGHUP, SIGUSR1});
  std::string read = fingerprint(options.file);
  std::optional<config::Model> model = read_model(options.file);
  if (!model) return 1;

  Control control(std::move(options));
  control.asked = std::move(*model);
  control.tasks.add(live(control, std::move(read)));
  control.loop.run();
  while (control.tasks.size() != 0) control.loop.run_once();
  return control.exit_status;
}

}  // namespace holdfast::cli

// `holdfast proxy FILE`: the control loop around the data plane and the admin API, from start to end. Signals say what
// to do next: SIGTERM and SIGINT drain (a second one ends at once), SIGHUP reloads (reload.h), SIGUSR1 reopens the log.
// So does a successor that takes over (takeover.h).
#include <csignal>
#include <cstdlib>
#include <string>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/control.h"
#include "cli/drain.h"
#include "cli/file.h"
#include "cli/registry.h"
#include "cli/reload.h"
#include "cli/sharing.h"
#include "cli/takeover.h"
#include "config/host_names.h"
#include "io/supervisor.h"

namespace holdfast::cli {
namespace {

// That the loops of all workers answer is what keeps the service manager from starting us anew.
io::Task<> feed_watchdog(Ref<Control> control, Duration interval) {
  while (!control->stop.requested()) {
    control->proxy.for_each_worker([](const proxy::Worker&) {});
    io::tell_supervisor("WATCHDOG=1");
    co_await io::sleep_until(control->loop, control->loop.now() + interval, control->stop);
  }
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
        begin_drain(*control, Departure::stopped);
    }
  }
}

// Nothing is served before everything is bound; nothing runs when anything is refused.
Result<> open_everything(Control& control) {
  Result<std::unique_ptr<admin::Server>> admin = open_admin(control, control.asked);
  if (!admin) return pass(admin, "start");
  Result<> started = control.proxy.start(with_endpoints(control, control.asked), control.handed);
  if (!started) return started;
  share_breakers(control);
  control.admin = std::move(*admin);
  if (control.admin != nullptr) control.admin->start();
  for (const std::string& socket : control.handed.drop_rest()) say("not needed: the handed-over socket " + socket);
  return {};
}

// From here on a successor finds us.
void wait_at(Control& control, const Result<std::string>& path) {
  Result<io::Rendezvous> here = path ? io::listen_for_successor(*path) : std::unexpected(path.error());
  if (here) {
    control.tasks.add(wait_for_successor(control, std::move(*here)));
  } else {
    say("nobody will be able to take over: " + here.error().what);
  }
}

// Serves, with the sockets of who served before if there is somebody and we are to replace it.
Result<> take_up_service(Control& control) {
  const Result<std::string> path = takeover_path(control.options.file);
  std::optional<io::Predecessor> predecessor;
  if (control.options.replace) {
    Result<std::optional<io::Predecessor>> found = path ? find_predecessor(*path) : std::unexpected(path.error());
    if (!found) return pass(found, "replace");
    predecessor = std::move(*found);
    if (!predecessor) say("nobody to replace");
  }
  if (predecessor) control.handed.add(std::move(predecessor->sockets));
  Result<> opened = open_everything(control);
  if (!opened) return opened;
  wait_at(control, path);  // before the one before us hears that it may go, or the next one would find nobody
  say_bound(control);
  say("ready");
  io::tell_supervisor("MAINPID=" + std::to_string(::getpid()) + "\nREADY=1");
  if (predecessor) thank(*predecessor);
  return {};
}

io::Task<> live(Ref<Control> control, std::string read) {
  control->names.follow(config::host_names(control->asked));
  follow_store(*control, control->asked);
  co_await control->names.asked_once(control->loop.now() + kPatienceWithNames);
  co_await wait_for_store(control);
  const Result<> serving = take_up_service(*control);
  if (!serving) {
    say("holdfast: " + serving.error().what);
    control->exit_status = 1;
    control->names.stop();
    co_await control->names.idle(kNever);
    co_await leave_store(control);
    co_await control->proxy.abandon();
    control->loop.stop();
    co_return;
  }
  if (io::watchdog_interval()) control->tasks.add(feed_watchdog(control, *io::watchdog_interval()));
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
  control.handed.add(io::sockets_of_supervisor());
  control.asked = std::move(*model);
  control.tasks.add(live(control, std::move(read)));
  control.loop.run();
  while (control.tasks.size() != 0) control.loop.run_once();
  return control.exit_status;
}

}  // namespace holdfast::cli

// `holdfast proxy FILE`: the control loop around the data plane and the admin API. Signals and the file itself say what
// to do next: SIGTERM and SIGINT drain (a second one ends at once), SIGHUP and a changed file reload, SIGUSR1 reopens
// the log.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "admin/server.h"
#include "admin/site.h"
#include "cli/commands.h"
#include "cli/file.h"
#include "config/load.h"
#include "io/scope.h"
#include "io/signals.h"
#include "io/stop.h"
#include "proxy/proxy.h"

namespace holdfast::cli {
namespace {

// What happens to the process is told on stderr, a line each, for people and for whoever supervises us.
void say(const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); }

struct Control : Pinned {
  explicit Control(std::string file_)
      : file(std::move(file_)),
        signals(loop, {SIGTERM, SIGINT, SIGHUP, SIGUSR1}),
        proxy(loop,
              [](const upstream::Service& service, std::size_t endpoint, health::State state, const std::string& why) {
                say("endpoint " + service.endpoints()[endpoint]->name + " of " + service.name() + " is " +
                    std::string(health::to_string(state)) + ": " + why);
              }),
        tasks(loop) {}

  const std::string file;
  io::Loop loop;
  io::Signals signals;
  io::Stop stop;
  proxy::Proxy proxy;
  std::unique_ptr<admin::Server> admin;  ///< null: there is none
  io::Scope tasks;
};

void say_bound(const Control& control) {
  for (const proxy::Proxy::Bound& bound : control.proxy.bound()) {
    say("listening name=" + bound.listener + " address=" + io::to_string(bound.address));
  }
  if (control.admin != nullptr) say("listening name=admin address=" + io::to_string(control.admin->address()));
}

/// Null when the file asks for none.
Result<std::unique_ptr<admin::Server>> open_admin(Control& control, const config::Model& model) {
  if (!model.admin) return std::unique_ptr<admin::Server>();
  return admin::Server::open(control.loop, model.admin->bind, [&control](const http::RequestHead& request) {
    return admin::answer(request, control.proxy, control.stop.requested());
  });
}

io::Task<> close_admin(Ref<Control> control, std::unique_ptr<admin::Server> server) {
  if (server != nullptr) co_await server->close(control->loop.now() + 1s);
}

void reload(Control& control) {
  if (control.stop.requested()) {
    say("reload refused: draining");
    return;
  }
  std::optional<config::Model> model = read_model(control.file);
  if (!model) {
    say("reload refused: the configuration of before goes on");
    return;
  }
  if (*model == control.proxy.snapshot()->model) {
    say("reloaded generation=" + std::to_string(control.proxy.snapshot()->generation) + " (nothing changed)");
    return;
  }
  // The admin API moves with the rest or not at all: its new address is bound first, its old one given up last.
  const bool admin_moves = model->admin != control.proxy.snapshot()->model.admin;
  Result<std::unique_ptr<admin::Server>> fresh;
  if (admin_moves) fresh = open_admin(control, *model);
  if (!fresh) {
    say("reload refused: " + fresh.error().what);
    return;
  }
  const Result<> applied = control.proxy.apply(std::move(*model));
  if (!applied) {
    say("reload refused: " + applied.error().what);
    return;
  }
  if (admin_moves) {
    control.admin.swap(*fresh);
    if (control.admin != nullptr) control.admin->start();
    control.tasks.add(close_admin(control, std::move(*fresh)));
  }
  say_bound(control);
  say("reloaded generation=" + std::to_string(control.proxy.snapshot()->generation));
}

// A file is read once it has looked the same twice: an editor may still be writing it.
// `applied` is from before the file was first read: a change in between is seen.
io::Task<> watch_file(Ref<Control> control, std::string applied) {
  constexpr Duration kLook = 250ms;
  std::string before = applied;
  while (!control->stop.requested()) {
    co_await io::sleep_until(control->loop, control->loop.now() + kLook, control->stop);
    const std::string seen = fingerprint(control->file);
    const bool settled = seen == before;
    before = seen;
    if (!settled || seen == applied || seen.empty()) continue;
    applied = seen;
    reload(*control);
  }
}

io::Task<> drain(Ref<Control> control) {
  control->stop.request();
  const Duration patience = control->proxy.snapshot()->model.proxy.drain_timeout;
  co_await control->proxy.drain(control->loop.now() + patience);
  co_await close_admin(control, std::move(control->admin));  // until here it says that we drain
  control->signals.cancel();
  control->loop.stop();
}

io::Task<> obey_signals(Ref<Control> control) {
  bool draining = false;
  while (true) {
    const int number = co_await control->signals.next();
    switch (number) {
      case 0: co_return;
      case SIGHUP: reload(*control); break;
      case SIGUSR1: control->proxy.reopen_log(); break;
      default:
        if (draining) std::_Exit(1);  // asked twice: at once
        draining = true;
        say("draining");
        control->tasks.add(drain(control));
    }
  }
}

}  // namespace

int run_proxy(const std::string& file) {
  io::ignore_broken_pipes();
  io::block_signals({SIGTERM, SIGINT, SIGHUP, SIGUSR1});
  std::string read = fingerprint(file);
  std::optional<config::Model> model = read_model(file);
  if (!model) return 1;

  Control control(file);
  Result<std::unique_ptr<admin::Server>> admin = open_admin(control, *model);
  if (!admin) {
    say("holdfast: " + admin.error().what);
    return 1;
  }
  const Result<> started = control.proxy.start(std::move(*model));
  if (!started) {
    say("holdfast: " + started.error().what);
    return 1;
  }
  control.admin = std::move(*admin);
  if (control.admin != nullptr) control.admin->start();
  say_bound(control);
  say("ready");
  control.tasks.add(watch_file(control, std::move(read)));
  control.tasks.add(obey_signals(control));
  control.loop.run();
  while (control.tasks.size() != 0) control.loop.run_once();
  return 0;
}

}  // namespace holdfast::cli

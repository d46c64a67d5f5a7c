// `holdfast proxy FILE`: the control loop around the data plane. Signals and the file itself say what to do next:
// SIGTERM and SIGINT drain (a second one ends at once), SIGHUP and a changed file reload, SIGUSR1 reopens the log.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

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
  io::Scope tasks;
};

void say_bound(const proxy::Proxy& proxy) {
  for (const proxy::Proxy::Bound& bound : proxy.bound()) {
    say("listening name=" + bound.listener + " address=" + io::to_string(bound.address));
  }
}

void reload(Control& control) {
  std::optional<config::Model> model = read_model(control.file);
  if (!model) {
    say("reload refused: the configuration of before goes on");
    return;
  }
  if (*model == control.proxy.snapshot()->model) {
    say("reloaded generation=" + std::to_string(control.proxy.snapshot()->generation) + " (nothing changed)");
    return;
  }
  const Result<> applied = control.proxy.apply(std::move(*model));
  if (!applied) {
    say("reload refused: " + applied.error().what);
    return;
  }
  say_bound(control.proxy);
  say("reloaded generation=" + std::to_string(control.proxy.snapshot()->generation));
}

// A file is read once it has looked the same twice: an editor may still be writing it.
io::Task<> watch_file(Ref<Control> control) {
  constexpr Duration kLook = 250ms;
  std::string applied = fingerprint(control->file);
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
  std::optional<config::Model> model = read_model(file);
  if (!model) return 1;

  Control control(file);
  const Result<> started = control.proxy.start(std::move(*model));
  if (!started) {
    say("holdfast: " + started.error().what);
    return 1;
  }
  say_bound(control.proxy);
  say("ready");
  control.tasks.add(watch_file(control));
  control.tasks.add(obey_signals(control));
  control.loop.run();
  while (control.tasks.size() != 0) control.loop.run_once();
  return 0;
}

}  // namespace holdfast::cli

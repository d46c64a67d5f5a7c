#include "cli/control.h"

#include <csignal>
#include <cstdio>

namespace holdfast::cli {
namespace {

void say_health(const upstream::Service& service, std::uint32_t endpoint, health::State state, const std::string& why) {
  say("endpoint " + service.endpoints()[endpoint]->name + " of " + service.name() + " is " +
      std::string(health::to_string(state)) + ": " + why);
}

admin::Standing standing_of(const Control& control) {
  admin::Standing standing{.draining = control.stop.requested()};
  if (control.endpoints != nullptr) standing.store_in_touch = control.endpoints->in_touch();
  return standing;
}

}  // namespace

Control::Control(ProxyOptions options_)
    : options(std::move(options_)),
      signals(loop, {SIGTERM, SIGINT, SIGHUP, SIGUSR1}),
      change(loop),
      names(loop, options.name_servers, &say, [this] { change.notify(); }),
      proxy(loop, &say_health, &say),
      site(proxy, [this] { return standing_of(*this); }),
      tasks(loop) {}

void say(const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); }

void say_bound(const Control& control) {
  for (const proxy::Proxy::Bound& bound : control.proxy.bound()) {
    say("listening name=" + bound.listener + " address=" + io::to_string(bound.address));
  }
  if (control.admin != nullptr) say("listening name=admin address=" + io::to_string(control.admin->address()));
}

Result<std::unique_ptr<admin::Server>> open_admin(Control& control, const config::Model& model) {
  if (!model.admin) return std::unique_ptr<admin::Server>();
  return admin::Server::open(control.loop, model.admin->bind, control.handed,
                             [&control](Ref<admin::Visit> visit) { return control.site.answer(visit); });
}

io::Task<> close_admin(Ref<Control> control, std::unique_ptr<admin::Server> server) {
  if (server != nullptr) co_await server->close(control->loop.now() + 1s);
}

}  // namespace holdfast::cli

// Control: what one `holdfast proxy` consists of, around its control loop.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "admin/server.h"
#include "admin/site.h"
#include "config/model.h"
#include "io/handed_sockets.h"
#include "io/loop.h"
#include "io/scope.h"
#include "io/signal.h"
#include "io/signals.h"
#include "io/stop.h"
#include "proxy/proxy.h"
#include "upstream/endpoint_keeper.h"
#include "upstream/name_keeper.h"

namespace holdfast::cli {

struct ProxyOptions {
  std::string file;
  io::NameServers name_servers{};  ///< none: those of /etc/resolv.conf
  bool replace = false;            ///< take over from who serves this file now
  std::string node{};              ///< who we are in the store; empty: the host's name
  std::string zone{};              ///< where we stand
};

struct Control : Pinned {
  explicit Control(ProxyOptions options_);

  const ProxyOptions options;
  io::Loop loop;
  io::Signals signals;
  io::Stop stop;
  int exit_status = 0;

  /// The file as it was last applied: with host names where proxy.snapshot()'s model has addresses.
  config::Model asked;
  io::Signal change;          ///< there is something to apply: the file, or other addresses
  bool file_changed = false;  ///< it is the file

  io::HandedSockets handed;  ///< at the start, until somebody takes them
  upstream::NameKeeper names;
  std::optional<config::Cluster> followed;              ///< whose store `endpoints` follows
  std::shared_ptr<upstream::EndpointKeeper> endpoints;  ///< null: no service takes them from a store
  std::optional<config::Cluster> shared_in;             ///< in whose store the breakers are
  proxy::Proxy proxy;
  admin::Site site;
  std::unique_ptr<admin::Server> admin;  ///< null: there is none
  io::Scope tasks;
};

/// What happens to the process is told on stderr, a line each, for people and for whoever supervises us.
void say(const std::string& line);

/// One line for each bound address.
void say_bound(const Control& control);

/// Null when the model asks for none.
Result<std::unique_ptr<admin::Server>> open_admin(Control& control, const config::Model& model);

/// Finishes what the server is answering, then closes it; null is fine.
io::Task<> close_admin(Ref<Control> control, std::unique_ptr<admin::Server> server);

}  // namespace holdfast::cli

// holdfast: the command line. The only place that knows all commands.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "cli/command_help.h"
#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/operator_options.h"
#include "cli/store_options.h"
#include "config/address.h"

namespace {

using holdfast::config::Address;
using holdfast::io::SocketAddress;

// As CLI11 wants it: empty when all is well.
std::string is_not_an_ip_address(const std::string& text) {
  const auto address = Address::parse(text);
  if (!address) return address.error();
  const bool ip = address->kind == Address::Kind::ip4 || address->kind == Address::Kind::ip6;
  return ip ? "" : '"' + text + "\" is not an IP address with a port";
}

// Parts of keys in the store, and shown in tables.
std::string is_no_place_name(const std::string& text) {
  constexpr std::size_t kBytesMax = 63;
  constexpr const char* kMembers = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  if (text.size() <= kBytesMax && text.find_first_not_of(kMembers) == std::string::npos) return "";
  return '"' + text + "\" is not a name; expected letters, digits, '.', '_' and '-', at most 63";
}

/// Requires: each is an IP address.
holdfast::io::NameServers name_servers(const std::vector<std::string>& texts) {
  holdfast::io::NameServers servers;
  for (const std::string& text : texts) {
    const Address address = Address::parse(text).value();
    servers.push_back(SocketAddress::from_ip(address.host, address.port).value());
  }
  return servers;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace holdfast::cli;
  CLI::App app("holdfast keeps services up: a load balancer in front of servers that come and go.", "holdfast");
  app.require_subcommand(1);
  app.failure_message(CLI::FailureMessage::help);

  std::string file;
  std::string shell;
  bool explain = false;
  std::function<int()> chosen;
  const auto takes_file = [&file](CLI::App* command) {
    command->add_option("FILE", file, "the configuration, for example holdfast.yaml")
        ->required()
        ->envname("HOLDFAST_FILE");
    return command;
  };

  CLI::App* proxy = takes_file(
      app.add_subcommand("proxy", "the load balancer alone; SIGHUP or a changed FILE reloads it, SIGTERM drains"));
  std::vector<std::string> resolvers;
  proxy->add_option("--resolver", resolvers, "a name server to ask instead of those of /etc/resolv.conf: 10.0.0.2:53")
      ->envname("HOLDFAST_RESOLVER")
      ->delimiter(',')
      ->check(&is_not_an_ip_address);
  bool replace = false;
  proxy->add_flag("--replace", replace, "take over from the holdfast that serves FILE now: its sockets, then it drains")
      ->envname("HOLDFAST_REPLACE");
  std::string node;
  std::string zone;
  proxy->add_option("--node", node, "who we are in the store (default: the host's name); .PROCESS-NUMBER is added")
      ->envname("HOLDFAST_NODE")
      ->check(&is_no_place_name);
  proxy->add_option("--zone", zone, "where we stand: votes on breakers must not all come from one zone")
      ->envname("HOLDFAST_ZONE")
      ->check(&is_no_place_name);
  proxy->callback([&] { chosen = [&] { return run_proxy({file, name_servers(resolvers), replace, node, zone}); }; });
  add_operator_commands(app, chosen);
  add_store_command(app, chosen);
  CLI::App* check = takes_file(app.add_subcommand("check", "says whether FILE is right, or everything that is wrong"));
  check->add_flag("--explain", explain, "print FILE with every default filled in")->envname("HOLDFAST_EXPLAIN");
  check->callback([&] { chosen = [&] { return check_file(file, explain); }; });
  app.add_subcommand("schema", "the JSON Schema of the file, for editors")->callback([&] { chosen = &print_schema; });
  app.add_subcommand("reference", "every key of the file: type, default, meaning (Markdown)")->callback([&] {
    chosen = &print_reference;
  });
  app.add_subcommand("version", "the version of this program")->callback([&] { chosen = &print_version; });
  CLI::App* completion = app.add_subcommand("completion", "completion for bash, zsh or fish");
  completion->add_option("SHELL", shell)
      ->required()
      ->check(CLI::IsMember(std::vector<std::string>(kShells.begin(), kShells.end())));
  completion->callback([&] {
    chosen = [&] {
      std::fputs(completion_script(app, shell).c_str(), stdout);
      return 0;
    };
  });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (const auto unknown = unknown_command(app)) {
      std::fprintf(stderr, "%s\n", unknown->c_str());
      return 2;
    }
    return app.exit(error) == 0 ? 0 : 2;
  }
  return chosen();
}

#include "cli/store_options.h"

#include <memory>
#include <string>

#include "cli/command_help.h"
#include "cli/store_command.h"
#include "config/names.h"
#include "config/units.h"

namespace holdfast::cli {
namespace {

using Action = StoreOptions::Action;

// As CLI11 wants it: empty when all is well.
std::string is_not_a_store(const std::string& text) {
  const auto address = config::parse_store_address(text);
  return address ? "" : address.error();
}

/// An option that takes a duration: 250ms, 5s, 10m.
template <class Into>
CLI::Option* add_duration(CLI::App* command, const std::string& name, Into& into, const std::string& help) {
  return command
      ->add_option_function<std::string>(
          name, [&into](const std::string& text) { into = config::parse_duration(text).value(); }, help)
      ->check([](const std::string& text) {
        const auto duration = config::parse_duration(text);
        return duration ? std::string() : duration.error();
      });
}

CLI::App* add_action(CLI::App* store, const std::string& name, const std::string& help, Action action,
                     const std::shared_ptr<StoreOptions>& options, std::function<int()>& chosen) {
  CLI::App* command = store->add_subcommand(name, help);
  command->callback([action, options, &chosen] {
    options->action = action;
    chosen = [options] { return run_store(*options); };
  });
  return command;
}

}  // namespace

void add_store_command(CLI::App& app, std::function<int()>& chosen) {
  const auto options = std::make_shared<StoreOptions>();
  StoreOptions& o = *options;
  CLI::App* store = app.add_subcommand("store", "looks into the common database, and writes to it");
  store->require_subcommand(1);
  store->fallthrough();
  store->add_option("--store", o.store, "where it is: sqlite:/path or etcd://HOST:PORT,…; else what --file says")
      ->envname("HOLDFAST_STORE")
      ->check(&is_not_a_store);
  store->add_option("--file", o.file, "the file whose cluster.store is meant")->envname("HOLDFAST_FILE");
  store->add_option("--cluster", o.cluster, "the name of the cluster, on an etcd that several share")
      ->envname("HOLDFAST_CLUSTER");
  std::function<void(const std::string&)> form = [&o](const std::string& text) { o.json = text == "json"; };
  store->add_option_function<std::string>("-o,--output", form, "table (for people) or json (one object a line)")
      ->check(CLI::IsMember({"table", "json"}))
      ->envname("HOLDFAST_OUTPUT");
  add_duration(store, "--timeout", o.timeout, "how long the store may take to answer (5s)")
      ->envname("HOLDFAST_TIMEOUT");

  CLI::App* get = add_action(store, "get", "prints the value of a KEY", Action::get, options, chosen);
  get->add_option("KEY", o.key)->required();
  get->add_flag("--prefix", o.prefix, "all keys that begin with KEY, each with its value");
  get->add_option("--at", o.revision, "as of this revision");

  CLI::App* put = add_action(store, "put", "puts VALUE under KEY", Action::put, options, chosen);
  put->add_option("KEY", o.key)->required();
  put->add_option("VALUE", o.value, "- reads it from standard input")->required();
  put->add_flag("--if-absent", o.if_absent, "only if nothing is there");
  put->add_option("--if-modified-at", o.if_at, "only if it was last modified at this revision")
      ->excludes("--if-absent");
  add_duration(put, "--for", o.lasting, "it goes after so long: 10s");

  CLI::App* erase = add_action(store, "delete", "deletes KEY", Action::erase, options, chosen);
  erase->add_option("KEY", o.key)->required();
  erase->add_flag("--prefix", o.prefix, "all keys that begin with KEY");
  erase->add_option("--if-modified-at", o.if_at, "only if it was last modified at this revision")->excludes("--prefix");

  CLI::App* watch = add_action(store, "watch", "prints what happens under a prefix, until it is interrupted",
                               Action::watch, options, chosen);
  watch->add_option("PREFIX", o.key);
  watch->add_option("--from", o.revision, "from this revision on, instead of from now");

  CLI::App* dump =
      add_action(store, "dump", "prints all records, one JSON object a line", Action::dump, options, chosen);
  dump->add_option("PREFIX", o.key);

  CLI::App* compact =
      add_action(store, "compact", "forgets the history up to a revision", Action::compact, options, chosen);
  compact->add_option("REVISION", o.revision, "all of it, if none is given");

  add_action(store, "check", "says how the store is, and which records cannot be used", Action::check, options, chosen);
  show_inherited_options(*store);
}

}  // namespace holdfast::cli

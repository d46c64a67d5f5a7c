#include "cli/operator_options.h"

#include <memory>
#include <string>

#include "cli/command_help.h"
#include "cli/operator_command.h"
#include "config/units.h"

namespace holdfast::cli {
namespace {

using Action = OperatorOptions::Action;
using Options = std::shared_ptr<OperatorOptions>;

// As CLI11 wants it: empty when all is well.
std::string is_no_duration(const std::string& text) {
  const auto duration = config::parse_duration(text);
  return duration ? "" : duration.error();
}

void add_common(CLI::App* command, const Options& options) {
  command
      ->add_option("--admin", options->admin,
                   "the admin API: ADDRESS as in the file (default: that of ./holdfast.yaml)")
      ->envname("HOLDFAST_ADMIN");
  std::function<void(const std::string&)> form = [options](const std::string& text) { options->json = text == "json"; };
  command->add_option_function<std::string>("-o,--output", form, "table (for people) or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->envname("HOLDFAST_OUTPUT");
}

void choose(CLI::App* command, const Options& options, Action action, std::function<int()>& chosen) {
  command->callback([options, action, &chosen] {
    options->action = action;
    chosen = [options] { return run_operator(*options); };
  });
}

void add_force(CLI::App* breaker, const Options& options, const std::string& word, const std::string& state,
               const std::string& help) {
  CLI::App* command = breaker->add_subcommand(word, help);
  command->add_option("NAME", options->name, "as holdfast breakers shows it: profile, or 'feed->profile'")->required();
  command->add_option("--reason", options->reason, "why; it is kept with the event")
      ->required()
      ->envname("HOLDFAST_REASON");
  command->add_option("--actor", options->actor, "who says so (default: user@host)")->envname("HOLDFAST_ACTOR");
  if (state != "auto") {
    command->add_option("--for", options->lasting, "it ends by itself after so long: 10m, at most 168h")
        ->check(&is_no_duration)
        ->envname("HOLDFAST_FOR");
  }
  command->parse_complete_callback([options, state] { options->state = state; });
}

}  // namespace

void add_operator_commands(CLI::App& app, std::function<int()>& chosen) {
  const auto options = std::make_shared<OperatorOptions>();
  CLI::App* breakers = app.add_subcommand("breakers", "all circuit breakers, and how they stand");
  add_common(breakers, options);
  breakers->add_flag("--watch", options->follow, "show them again whenever one changes")->envname("HOLDFAST_WATCH");
  choose(breakers, options, Action::breakers, chosen);

  CLI::App* breaker = app.add_subcommand("breaker", "forces a circuit breaker open or closed, or lets it decide again");
  breaker->require_subcommand(1);
  breaker->fallthrough();
  add_common(breaker, options);
  add_force(breaker, options, "open", "open", "refuse all its calls");
  add_force(breaker, options, "close", "closed", "let all its calls pass");
  add_force(breaker, options, "auto", "auto", "let it decide by itself again");
  show_inherited_options(*breaker);
  choose(breaker, options, Action::breaker, chosen);

  CLI::App* events = app.add_subcommand("events", "what happened: breakers that opened, who forced one, and why");
  add_common(events, options);
  events->add_flag("--follow", options->follow, "and what happens, until it is interrupted")
      ->envname("HOLDFAST_FOLLOW");
  events->add_option("--limit", options->limit, "the newest so many (100)")
      ->check(CLI::Range(1, 1000))
      ->envname("HOLDFAST_LIMIT");
  choose(events, options, Action::events, chosen);
}

}  // namespace holdfast::cli

// Commands that only look: check, schema, reference, version, completion.
#include <cstdio>
#include <string>

#include "cli/commands.h"
#include "cli/file.h"
#include "config/load.h"

namespace holdfast::cli {

int check_file(const std::string& file, bool explain) {
  const std::optional<config::Model> model = read_model(file);
  if (!model) return 1;
  if (explain) std::fputs(config::explain(*model).c_str(), stdout);
  return 0;
}

int print_schema() {
  std::puts(config::schema().c_str());
  return 0;
}

int print_reference() {
  std::fputs(config::reference_markdown().c_str(), stdout);
  return 0;
}

int print_version() {
  std::puts("holdfast " HOLDFAST_VERSION);
  return 0;
}

int print_completion(const std::string& shell) {
  if (shell == "bash") {
    std::puts(R"(_holdfast() {
  local word=${COMP_WORDS[COMP_CWORD]}
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W "proxy breakers breaker events store check schema reference version completion --help" -- "$word"))
  elif [[ ${COMP_WORDS[1]} == store ]]; then
    COMPREPLY=($(compgen -W "get put delete watch dump compact check --store --file --output --help" -- "$word"))
  elif [[ ${COMP_WORDS[1]} == breaker ]]; then
    COMPREPLY=($(compgen -W "open close auto --reason --for --actor --admin --output --help" -- "$word"))
  elif [[ ${COMP_WORDS[1]} == breakers ]]; then
    COMPREPLY=($(compgen -W "--watch --admin --output --help" -- "$word"))
  elif [[ ${COMP_WORDS[1]} == events ]]; then
    COMPREPLY=($(compgen -W "--follow --limit --admin --output --help" -- "$word"))
  elif [[ ${COMP_WORDS[1]} == completion ]]; then
    COMPREPLY=($(compgen -W "bash zsh fish" -- "$word"))
  else
    COMPREPLY=($(compgen -W "--explain --replace --resolver --help" -f -- "$word"))
  fi
}
complete -o filenames -F _holdfast holdfast)");
    return 0;
  }
  if (shell == "zsh") {
    std::puts(R"(#compdef holdfast
_arguments '1:command:(proxy breakers breaker events store check schema reference version completion)' '2:file:_files' '--explain[every default filled in]' '--replace[take over from the running one]' '--resolver[a name server to ask]:address:')");
    return 0;
  }
  if (shell == "fish") {
    std::puts(
        "complete -c holdfast -n __fish_use_subcommand -a 'proxy breakers breaker events store check schema reference "
        "version completion'");
    std::puts("complete -c holdfast -n '__fish_seen_subcommand_from check' -l explain");
    std::puts("complete -c holdfast -n '__fish_seen_subcommand_from proxy' -l resolver -x");
    std::puts("complete -c holdfast -n '__fish_seen_subcommand_from proxy' -l replace");
    std::puts(
        "complete -c holdfast -n '__fish_seen_subcommand_from store' -a 'get put delete watch dump compact check'");
    std::puts("complete -c holdfast -n '__fish_seen_subcommand_from store' -l store -x");
    std::puts("complete -c holdfast -n '__fish_seen_subcommand_from breaker' -a 'open close auto'");
    std::puts("complete -c holdfast -n '__fish_seen_subcommand_from breaker' -l reason -x");
    std::puts("complete -c holdfast -n '__fish_seen_subcommand_from breaker' -l for -x");
    std::puts("complete -c holdfast -n '__fish_seen_subcommand_from breakers' -l watch");
    std::puts("complete -c holdfast -n '__fish_seen_subcommand_from events' -l follow");
    return 0;
  }
  std::fprintf(stderr, "holdfast: no completion for \"%s\"; there is bash, zsh and fish\n", shell.c_str());
  return 2;
}

}  // namespace holdfast::cli

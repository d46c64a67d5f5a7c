#include "cli/completion.h"

#include <algorithm>
#include <vector>

namespace holdfast::cli {
namespace {

using Words = std::vector<std::string>;

/// What may stand somewhere: one of these words, a file, or something that we do not know.
struct Value {
  Words words{};
  bool is_file = false;
};

struct Option {
  Words names{};  ///< -o, --output
  std::string help{};
  bool takes_value = false;
  Value value{};
};

struct Command {
  std::string name{};
  std::string help{};
};

/// Where the cursor stands: behind these commands.
struct Place {
  std::string path{};  ///< "holdfast breaker open"
  std::vector<Command> commands{};
  std::vector<Option> options{};
  Value argument{};
};

// CLI11 keeps the words of a check for people: "TEXT:{table,json}".
Words words_of(const std::string& type) {
  const std::size_t begin = type.find('{');
  const std::size_t end = type.find('}');
  Words words;
  if (begin == std::string::npos || end == std::string::npos) return words;
  std::string rest = type.substr(begin + 1, end - begin - 1) + ',';
  for (std::size_t comma = 0; (comma = rest.find(',')) != std::string::npos; rest.erase(0, comma + 1)) {
    words.push_back(rest.substr(0, comma));
  }
  return words;
}

Option option_of(const CLI::Option& option) {
  Option made;
  for (const std::string& name : option.get_snames()) made.names.push_back('-' + name);
  for (const std::string& name : option.get_lnames()) made.names.push_back("--" + name);
  made.help = option.get_description();
  made.takes_value = option.get_items_expected_max() != 0;
  made.value = {words_of(option.get_type_name()), option.check_lname("file")};
  return made;
}

void collect(const CLI::App& app, const std::string& path, std::vector<Option> inherited, std::vector<Place>& places) {
  Place place{.path = path, .options = std::move(inherited)};
  for (const CLI::Option* option : app.get_options()) {
    if (option->nonpositional()) {
      place.options.push_back(option_of(*option));
    } else {
      place.argument = {words_of(option->get_type_name()), option->get_name() == "FILE"};
    }
  }
  const std::vector<const CLI::App*> commands = app.get_subcommands({});
  for (const CLI::App* command : commands) place.commands.push_back({command->get_name(), command->get_description()});
  places.push_back(place);
  for (const CLI::App* command : commands) {
    std::vector<Option> handed = command->get_fallthrough() ? place.options : std::vector<Option>{};
    std::erase_if(handed, [](const Option& option) { return option.names.back() == "--help"; });
    collect(*command, path + ' ' + command->get_name(), std::move(handed), places);
  }
}

// ---- words for shells

std::string join(const Words& words, std::string_view between) {
  std::string text;
  for (const std::string& word : words) text.append(text.empty() ? "" : between).append(word);
  return text;
}

/// All three shells take 'this'; within it only fish gives the backslash a meaning.
std::string quoted(const std::string& text, bool is_fish = false) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += is_fish ? "\\'" : "'\\''";
    } else {
      if (is_fish && c == '\\') out += c;
      out += c;
    }
  }
  return out + '\'';
}

Words paths_of(const std::vector<Place>& places) {
  Words paths;
  for (const Place& place : places) {
    if (&place != &places.front()) paths.push_back(quoted(place.path));
  }
  return paths;
}

// ---- bash and zsh: a function of two choices, by the option before the cursor and by the place

struct Dialect {
  std::string (*words)(const Words&);
  std::string_view files;
  std::string_view open;  ///< of a pattern
};

/// Options at a place for which the same is to be done.
void add_values(std::string& out, const std::vector<Place>& places, const Dialect& dialect) {
  for (const Place& place : places) {
    for (const Option& option : place.options) {
      if (!option.takes_value) continue;
      Words patterns;
      for (const std::string& name : option.names) patterns.push_back(quoted(place.path + ' ' + name));
      out.append("    ").append(dialect.open).append(join(patterns, "|")).append(") ");
      if (!option.value.words.empty()) out += dialect.words(option.value.words) + "; ";
      if (option.value.is_file) out.append(dialect.files).append("; ");
      out += "return ;;\n";
    }
  }
}

std::string bash_words(const Words& words) {
  return "COMPREPLY+=($(compgen -W " + quoted(join(words, " ")) + " -- \"$word\"))";
}

std::string for_bash(const std::vector<Place>& places) {
  const Dialect dialect{.words = &bash_words, .files = R"(COMPREPLY+=($(compgen -f -- "$word")))", .open = ""};
  std::string out = R"(_holdfast() {
  local word=${COMP_WORDS[COMP_CWORD]} at=holdfast i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at ${COMP_WORDS[i]}" in
      )";
  out += join(paths_of(places), "|") + ") at=\"$at ${COMP_WORDS[i]}\" ;;\n    esac\n  done\n";
  out += "  case \"$at ${COMP_WORDS[COMP_CWORD-1]}\" in\n";
  add_values(out, places, dialect);
  out += "  esac\n  case \"$at\" in\n";
  for (const Place& place : places) {
    Words words;
    for (const Command& command : place.commands) words.push_back(command.name);
    words.insert(words.end(), place.argument.words.begin(), place.argument.words.end());
    for (const Option& option : place.options) words.insert(words.end(), option.names.begin(), option.names.end());
    out += "    " + quoted(place.path) + ") " + bash_words(words);
    if (place.argument.is_file) out.append("; ").append(dialect.files);
    out += " ;;\n";
  }
  return out + "  esac\n}\ncomplete -o filenames -F _holdfast holdfast\n";
}

std::string zsh_words(const Words& words) { return "compadd -- " + join(words, " "); }

std::string for_zsh(const std::vector<Place>& places) {
  const Dialect dialect{.words = &zsh_words, .files = "_files", .open = "("};
  std::string out = R"(#compdef holdfast
_holdfast() {
  local at=holdfast word
  local -a found
  for word in ${words[2,CURRENT-1]}; do
    case "$at $word" in
      ()";
  out += join(paths_of(places), "|") + ") at=\"$at $word\" ;;\n    esac\n  done\n";
  out += "  case \"$at ${words[CURRENT-1]}\" in\n";
  add_values(out, places, dialect);
  out += "  esac\n  case \"$at\" in\n";
  for (const Place& place : places) {
    Words found;
    for (const Command& command : place.commands) found.push_back(quoted(command.name + ':' + command.help));
    for (const std::string& word : place.argument.words) found.push_back(quoted(word));
    for (const Option& option : place.options) {
      for (const std::string& name : option.names) found.push_back(quoted(name + ':' + option.help));
    }
    out += "    (" + quoted(place.path) + ") found=(" + join(found, " ") + "); _describe holdfast found";
    if (place.argument.is_file) out.append("; ").append(dialect.files);
    out += " ;;\n";
  }
  return out + R"(  esac
}
if [[ $funcstack[1] == _holdfast ]]; then _holdfast "$@"; else compdef _holdfast holdfast; fi
)";
}

// ---- fish: a line for each word

std::string fish_option(const Option& option) {
  std::string out;
  for (const std::string& name : option.names) {
    out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  if (!option.takes_value) return out;
  if (option.value.is_file) return out + " -r -F";
  return out + " -x" + (option.value.words.empty() ? "" : " -a " + quoted(join(option.value.words, " "), true));
}

std::string for_fish(const std::vector<Place>& places) {
  std::string out = R"(function __holdfast_at
  set -l at holdfast
  for word in (commandline -opc)[2..-1]
    switch "$at $word"
      case )" + join(paths_of(places), " ") +
                    R"(
        set at "$at $word"
    end
  end
  test "$at" = "$argv"
end
complete -c holdfast -f
)";
  for (const Place& place : places) {
    const std::string here = "complete -c holdfast -n " + quoted("__holdfast_at " + place.path, true);
    for (const Command& command : place.commands) {
      out += here + " -a " + command.name + " -d " + quoted(command.help, true) + '\n';
    }
    if (!place.argument.words.empty()) out += here + " -a " + quoted(join(place.argument.words, " "), true) + '\n';
    if (place.argument.is_file) out += here + " -F\n";
    for (const Option& option : place.options) {
      out += here + fish_option(option) + " -d " + quoted(option.help, true) + '\n';
    }
  }
  return out;
}

}  // namespace

std::string completion_script(const CLI::App& app, std::string_view shell) {
  std::vector<Place> places;
  collect(app, app.get_name(), {}, places);
  if (shell == "bash") return for_bash(places);
  return shell == "zsh" ? for_zsh(places) : for_fish(places);
}

}  // namespace holdfast::cli

// YAML events -> Node. libyaml reports each event with its mark; a stack of open lists and maps is all the state
// there is.
#include "config/tree.h"

#include <unordered_map>
#include <yaml.h>

#include "config/substitute.h"

namespace holdfast::config {
namespace {

Mark mark_of(const yaml_mark_t& mark) {
  return {static_cast<unsigned>(mark.line) + 1, static_cast<unsigned>(mark.column) + 1};
}

std::string_view view(const yaml_char_t* text, std::size_t length) {
  return {reinterpret_cast<const char*>(text), length};
}

std::string_view line_at(std::string_view text, std::size_t line) {
  for (; line > 0; --line) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

/// What people most often mean when a line is not YAML.
std::string_view hint(std::string_view line) {
  if (line.find('\t') != std::string_view::npos) return "; indent with spaces, not tabs";
  if (line.find(": *") != std::string_view::npos) return "; a value that begins with * needs quotes: \"*.example.com\"";
  if (line.find(": [") != std::string_view::npos && line.find("]:") != std::string_view::npos) {
    return "; an address that begins with [ needs quotes: \"[::]:80\"";
  }
  if (line.find("${") != std::string_view::npos) return "; inside { } or [ ] a variable needs quotes: \"${NAME}\"";
  if (line.find("- *") != std::string_view::npos) return "; a value that begins with * needs quotes: \"*.example.com\"";
  return "";
}

class Parser {
 public:
  Parser(std::string_view text, const Environment& environment, Findings& findings)
      : text_(text), environment_(environment), findings_(findings) {
    usable_ = yaml_parser_initialize(&parser_) == 1;
    if (!usable_) return;
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }
  ~Parser() {
    if (usable_) yaml_parser_delete(&parser_);
  }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  std::optional<Node> run() {
    if (!usable_) return give_up({}, "no memory for the YAML parser");
    while (!done_) {
      yaml_event_t event;
      if (yaml_parser_parse(&parser_, &event) == 0) return syntax_error();
      const bool going = take(event);
      yaml_event_delete(&event);
      if (!going) return std::nullopt;
    }
    return std::move(root_);
  }

 private:
  struct Open {
    Node node;
    bool key_next = false;  ///< of a map: the next event is a key
  };

  std::optional<Node> give_up(Mark mark, std::string words) {
    findings_.add(mark, std::move(words));
    return std::nullopt;
  }

  std::optional<Node> syntax_error() {
    std::string words = "not valid YAML: ";
    words += parser_.problem != nullptr ? parser_.problem : "unreadable";
    if (parser_.context != nullptr) {
      words += std::string(" ") + parser_.context + " begun on line " + std::to_string(parser_.context_mark.line + 1);
    }
    std::string_view hinted = hint(line_at(text_, parser_.problem_mark.line));
    if (hinted.empty() && parser_.context != nullptr) hinted = hint(line_at(text_, parser_.context_mark.line));
    return give_up(mark_of(parser_.problem_mark), words + std::string(hinted));
  }

  /// False: the file cannot be read any further, and why has been reported.
  bool take(const yaml_event_t& event) {
    const Mark mark = mark_of(event.start_mark);
    switch (event.type) {
      case YAML_STREAM_END_EVENT: done_ = true; return true;
      case YAML_DOCUMENT_START_EVENT:
        if (root_.kind == Node::Kind::nothing) return true;
        findings_.add(mark, "a second document begins here; a file holds one: remove the ---");
        return false;
      case YAML_ALIAS_EVENT:
        findings_.add(mark, "aliases (*name) are not supported; write the value out, or in quotes if it begins with *");
        place(Node{Node::Kind::nothing, false, mark, {}, {}});
        return true;
      case YAML_SCALAR_EVENT: return scalar(event, mark);
      case YAML_SEQUENCE_START_EVENT:
        refuse_extras(event.data.sequence_start.anchor, event.data.sequence_start.tag, mark);
        return open(Node::Kind::list, mark);
      case YAML_MAPPING_START_EVENT:
        refuse_extras(event.data.mapping_start.anchor, event.data.mapping_start.tag, mark);
        return open(Node::Kind::map, mark);
      case YAML_SEQUENCE_END_EVENT:
      case YAML_MAPPING_END_EVENT: close(); return true;
      default: return true;
    }
  }

  void refuse_extras(const yaml_char_t* anchor, const yaml_char_t* tag, Mark mark) {
    if (anchor != nullptr) findings_.add(mark, "anchors (&name) are not supported; write the value where it is used");
    if (tag != nullptr) findings_.add(mark, "tags (!name) are not supported; put text in quotes instead");
  }

  bool scalar(const yaml_event_t& event, Mark mark) {
    const auto& data = event.data.scalar;
    refuse_extras(data.anchor, data.tag, mark);
    if (!count(mark)) return false;
    Node node{Node::Kind::scalar,
              data.style != YAML_PLAIN_SCALAR_STYLE,
              mark,
              std::string(view(data.value, data.length)),
              {}};
    if (!next_is_key() && node.text.find("${") != std::string::npos) {
      std::expected<std::string, std::string> replaced = substitute(node.text, environment_);
      if (!replaced) findings_.add(mark, std::move(replaced.error()));
      // A value that could not be made up is left as it stands and marked: nobody shall complain about it again.
      node.kind = replaced ? Node::Kind::scalar : Node::Kind::nothing;
      node.text = replaced ? std::move(*replaced) : std::string();
      node.quoted = true;
    }
    place(std::move(node));
    return true;
  }

  bool open(Node::Kind kind, Mark mark) {
    if (!count(mark)) return false;
    if (next_is_key()) {
      findings_.add(mark, "a key must be a word, not a list or a map");
      return false;
    }
    if (open_.size() == kMaxDepth) {
      findings_.add(mark, "nested more than " + std::to_string(kMaxDepth) + " deep");
      return false;
    }
    open_.push_back({Node{kind, false, mark, {}, {}}, kind == Node::Kind::map});
    return true;
  }

  void close() {
    Node node = std::move(open_.back().node);
    open_.pop_back();
    if (node.is_map()) refuse_duplicates(node);
    place(std::move(node));
  }

  void place(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& top = open_.back();
    if (top.node.is_map()) top.key_next = !top.key_next;
    top.node.children.push_back(std::move(node));
  }

  bool next_is_key() const { return !open_.empty() && open_.back().node.is_map() && open_.back().key_next; }

  bool count(Mark mark) {
    if (++nodes_ <= kMaxNodes) return true;
    findings_.add(mark, "the file holds more than " + std::to_string(kMaxNodes) + " values");
    return false;
  }

  void refuse_duplicates(const Node& map) {
    const auto complain = [&](const Node& again, const Node& first) {
      findings_.add(again.mark, "duplicate key \"" + again.text + "\"; the first is on line " +
                                    std::to_string(first.mark.line) + ": keep one of them");
    };
    const std::vector<Node>& nodes = map.children;
    if (nodes.size() <= 32) {
      for (std::size_t i = 2; i < nodes.size(); i += 2) {
        for (std::size_t k = 0; k < i; k += 2) {
          if (nodes[i].text != nodes[k].text) continue;
          complain(nodes[i], nodes[k]);
          break;
        }
      }
      return;
    }
    std::unordered_map<std::string_view, const Node*> seen;
    for (std::size_t i = 0; i < nodes.size(); i += 2) {
      const auto [first, fresh] = seen.emplace(nodes[i].text, &nodes[i]);
      if (!fresh) complain(nodes[i], *first->second);
    }
  }

  std::string_view text_;
  const Environment& environment_;
  Findings& findings_;
  yaml_parser_t parser_;
  bool usable_ = false;
  bool done_ = false;
  Node root_;
  std::vector<Open> open_;
  std::size_t nodes_ = 0;
};

}  // namespace

const Node* Node::find(std::string_view key) const {
  if (!is_map()) return nullptr;
  for (std::size_t i = 0; i + 1 < children.size(); i += 2) {
    if (children[i].text == key) return &children[i + 1];
  }
  return nullptr;
}

Node Node::scalar(std::string text) { return {Kind::scalar, false, {}, std::move(text), {}}; }

std::optional<Node> parse_tree(std::string_view text, const Environment& environment, Findings& findings) {
  return Parser(text, environment, findings).run();
}

}  // namespace holdfast::config

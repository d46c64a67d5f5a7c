// Node -> YAML. A scalar stands plain where no YAML reader could take it for anything else, in double quotes
// otherwise.
#include <algorithm>

#include "config/substitute.h"
#include "config/tree.h"

namespace holdfast::config {
namespace {

constexpr std::size_t kLine = 100;

bool is_plain(const Node& node) {
  const std::string& text = node.text;
  const auto word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '/' ||
           c == '.';
  };
  if (text.empty() || node.is_null() || !word(text.front()) || text.back() == ':') return false;
  return std::ranges::all_of(text, [&](char c) { return word(c) || c == '-' || c == ':' || c == '%' || c == '+'; });
}

void print_scalar(std::string& out, const Node& node) {
  if (is_plain(node)) {
    out += node.text;
    return;
  }
  constexpr std::string_view kHex = "0123456789ABCDEF";
  out += '"';
  for (const char c : escape_substitution(node.text)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\x";
      out += kHex[byte >> 4U];
      out += kHex[byte & 15U];
    } else {
      out += c;
    }
  }
  out += '"';
}

void print_flow(std::string& out, const Node& node) {
  if (node.is_scalar()) return print_scalar(out, node);
  const bool map = node.is_map();
  if (node.children.empty()) {
    out += map ? "{}" : "[]";
    return;
  }
  out += map ? "{ " : "[";
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    const bool value = map && i % 2 == 1;
    if (i > 0) out += value ? ": " : ", ";
    print_flow(out, node.children[i]);
  }
  out += map ? " }" : "]";
}

/// Fits on a line, with at most one level of nesting.
bool is_short(const Node& node, std::size_t indent) {
  if (node.is_scalar() || node.children.empty()) return true;
  const bool flat = std::ranges::all_of(node.children, [](const Node& child) {
    return std::ranges::all_of(child.children, [](const Node& grandchild) { return grandchild.children.empty(); });
  });
  return flat && node.children.size() <= 32 && indent + print_inline(node).size() <= kLine;
}

void print_block(std::string& out, const Node& node, std::size_t indent);

void print_after(std::string& out, const Node& node, std::size_t indent) {
  if (is_short(node, indent)) {
    out += ' ';
    print_flow(out, node);
    out += '\n';
  } else {
    out += '\n';
    print_block(out, node, indent);
  }
}

void print_block(std::string& out, const Node& node, std::size_t indent) {
  if (node.is_map()) {
    for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
      out.append(indent, ' ');
      print_scalar(out, node.children[i]);
      out += ':';
      print_after(out, node.children[i + 1], indent + 2);
    }
    return;
  }
  for (const Node& item : node.children) {
    out.append(indent, ' ');
    out += '-';
    print_after(out, item, indent + 2);
  }
}

}  // namespace

std::string print_inline(const Node& node) {
  std::string out;
  print_flow(out, node);
  return out;
}

std::string print_tree(const Node& node) {
  std::string out;
  print_block(out, node, 0);
  return out;
}

}  // namespace holdfast::config

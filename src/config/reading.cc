#include "config/reading.h"

namespace holdfast::config {
namespace {

std::string_view word(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::map: return "a map";
    case Node::Kind::list: return "a list";
    case Node::Kind::scalar:
    case Node::Kind::nothing: break;
  }
  return "a single value";
}

}  // namespace

std::string Reading::place() const {
  std::string text;
  for (const Part& part : path_) {
    if (part.key.empty()) {
      text += '[' + std::to_string(part.index) + ']';
    } else {
      if (!text.empty()) text += '.';
      text += part.key;
    }
  }
  return text;
}

void Reading::wrong(Mark mark, std::string_view words) {
  std::string message = place();
  if (!message.empty()) message += ": ";
  findings_.add(mark, message.append(words));
}

bool Reading::is(const Node& node, Node::Kind kind, std::string_view expected) {
  if (node.kind == Node::Kind::nothing) {
    ++unread_;
    return false;
  }
  if (node.kind == kind && !node.is_null()) return true;
  const std::string found = node.is_null() ? "but nothing is written" : "found " + std::string(word(node.kind));
  wrong(node.mark, "expected " + std::string(expected) + ", " + found);
  return false;
}

void Reading::refer(Mark mark, std::string_view service, std::optional<ServiceProtocol> protocol) {
  references_.push_back({mark, place(), std::string(service), protocol});
}

void Reading::bind(Mark mark, const Address& address) {
  if (!address.is_unix() && address.port == 0) return;  // the kernel picks a free one
  const auto [first, fresh] = bound_.emplace(to_string(address), place());
  if (!fresh) wrong(mark, first->first + " is bound by " + first->second + " already; choose another port or address");
}

}  // namespace holdfast::config

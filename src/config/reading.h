// Reading: what travels along while values are read: where we stand in the file, what was wrong, and what other
// parts of the file were named on the way (services, binds), to be checked once everything is known.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/findings.h"
#include "config/model.h"
#include "config/tree.h"

namespace holdfast::config {

/// A service named somewhere else than under `services`.
struct Reference {
  Mark mark;
  std::string place;
  std::string service;
  std::optional<ServiceProtocol> protocol;  ///< what it has to speak, where that matters
};

class Reading {
 public:
  explicit Reading(Findings& findings) : findings_(findings) {}

  /// One step down, undone at the end of the scope: a key, or the index of a list's item.
  class Step {
   public:
    Step(Reading& reading, std::string_view key) : reading_(reading) { reading_.path_.push_back({key, 0}); }
    Step(Reading& reading, std::size_t index) : reading_(reading) { reading_.path_.push_back({{}, index}); }
    ~Step() { reading_.path_.pop_back(); }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

   private:
    Reading& reading_;
  };

  /// "services.feed.endpoints[3]"; empty at the top.
  std::string place() const;

  /// Reports `words` after the place.
  void wrong(Mark mark, std::string_view words);
  /// Reports `words` as they are.
  void say(Mark mark, std::string words) { findings_.add(mark, std::move(words)); }

  /// Whether `node` is of that kind; if not, it has been reported. A value whose variable is unset was reported before.
  bool is_scalar(const Node& node, std::string_view expected) { return is(node, Node::Kind::scalar, expected); }
  bool is_list(const Node& node, std::string_view expected) { return is(node, Node::Kind::list, expected); }
  bool is_map(const Node& node, std::string_view expected) { return is(node, Node::Kind::map, expected); }

  /// Grows with everything that could not be read: what has not changed since may be checked for its meaning.
  std::size_t troubles() const { return findings_.size() + unread_; }
  /// More is wrong than will be told: suggestions are not worth their time any more.
  bool overwhelmed() const { return findings_.size() > 2 * kMaxProblems; }

  void refer(Mark mark, std::string_view service, std::optional<ServiceProtocol> protocol);
  const std::vector<Reference>& references() const { return references_; }

  /// Reports an address that something else in the file binds already.
  void bind(Mark mark, const Address& address);

 private:
  struct Part {
    std::string_view key;  ///< empty: an index
    std::size_t index;
  };

  bool is(const Node& node, Node::Kind kind, std::string_view expected);

  Findings& findings_;
  std::size_t unread_ = 0;  ///< values that were missing or refused before they came here
  std::vector<Part> path_;
  std::vector<Reference> references_;
  std::unordered_map<std::string, std::string> bound_;  ///< address -> place
};

}  // namespace holdfast::config

// RoundRobin: smooth weighted round robin, exact, without looking at every member.
//
// The rule (nginx's): at each turn every member earns its weight, the one with the most pays the sum of all weights and
// serves. 5:1:1 goes a a b a c a a. A member's credit / sum is what it is owed, in turns: shares never drift.
// The trick: members of equal weight earn alike, so among them the order changes only by paying. Each distinct weight
// is a class with a queue sorted by credit; only the heads compete. A turn costs O(distinct weights), not O(members).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace holdfast::balance {

class RoundRobin {
 public:
  /// New weights (0: out). Everyone keeps what it is owed, in turns; whoever joins is owed nothing.
  void set_weights(std::span<const std::uint32_t> weights);

  /// Whose turn it is; does not change anything.
  /// Requires: !empty().
  std::uint32_t front() const { return head_of(classes_[front_]); }

  /// The member of front() serves: it pays, and everyone earns.
  void serve();

  /// The member of front() was refused (full, tried before): it pays as if it had served, and nobody earns.
  void forgo();

  /// Serves `turns` times.
  void skip(std::uint64_t turns);

  /// Turns until the sequence repeats.
  std::uint64_t cycle() const;

  bool empty() const { return classes_.empty(); }

  /// What each member is owed, in turns (0 for those out): for the next balancer after a reload.
  std::vector<double> owed() const;
  /// Requires: as many as weights.
  void set_owed(std::span<const double> owed);

  /// Empty, or the invariant that is broken.
  std::string validate() const;

 private:
  struct Entry {
    std::int64_t credit;  ///< at turn 0; now: credit + weight x turn_
    std::uint32_t member;
  };
  /// Members of one weight. A ring buffer: first in `entries[head]`, richest first.
  struct Class {
    std::int64_t weight;
    std::size_t head;
    std::vector<Entry> entries;
  };

  static std::uint32_t head_of(const Class& each) { return each.entries[each.head].member; }
  void choose_front();
  void pay(Class& payer);
  void rebase();
  void rebuild(std::span<const std::int64_t> credits);

  std::vector<std::uint32_t> weights_;
  std::vector<Class> classes_;
  std::size_t front_ = 0;  ///< the class of the member whose turn it is
  std::int64_t total_ = 0;
  std::int64_t turn_ = 0;
  std::uint32_t refusals_ = 0;  ///< since the last rebase
};

}  // namespace holdfast::balance

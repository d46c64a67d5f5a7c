// World: which history the members speak of, and how far it had come when it was last heard of. Pure.
//
// A cluster that was restored has another id, or, if its files were put back, the same id and a lower revision. A
// member that was paused can answer from the past (etcd 3.4.20 to 3.4.41), which looks the same; only that all members
// say so tells a restore from it.
#pragma once

#include "base/pinned.h"
#include "store/etcd_codec.h"

namespace holdfast::store::etcd {

class World : Pinned {
 public:
  /// Names the history; 0 before the first answer.
  std::uint64_t id() const { return cluster_ == 0 ? 0 : cluster_ + set_backs_ * kStep; }
  /// What an answer to a question that is asked from now on must reach.
  Revision highest() const { return highest_; }

  /// Takes in the header of an answer. False when it is behind `floor`, the highest() of when the question was asked:
  /// ask another.
  bool believe(const Header& header, Revision floor);
  /// Everybody answers from behind: history has been set back, and begins anew at `header`.
  void set_back(const Header& header);

 private:
  static constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15U;

  std::uint64_t cluster_ = 0;
  std::uint64_t set_backs_ = 0;
  Revision highest_ = 0;
};

}  // namespace holdfast::store::etcd
